namespace SendProxy.IntegrationTests; public class PlaceholderTests { [Fact] public void A() => Assert.True(true); }
