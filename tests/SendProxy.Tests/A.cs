namespace SendProxy.Tests; public class PlaceholderTests { [Fact] public void A() => Assert.True(true); }
