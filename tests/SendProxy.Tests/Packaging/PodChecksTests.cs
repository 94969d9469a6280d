namespace SendProxy.Tests.Packaging;

// A check that cannot fail is no check: each one is shown a pod with everything wrong.
public class PodChecksTests
{
    private const string Bad = """
        kind: Deployment
        spec:
          selector: { matchLabels: { app: other } }
          template:
            metadata: { labels: { app: bad } }
            spec:
              initContainers:
                - name: sendproxy
                  ports: [{ name: metrics }]
                  securityContext: { privileged: true, capabilities: { add: [NET_ADMIN] } }
                  env: [{ name: KEY, valueFrom: { secretKeyRef: { name: key, key: current } } }]
                  livenessProbe: { httpGet: { path: /livez, port: http } }
                  volumeMounts: [{ name: key, mountPath: /key, subPath: current }]
              volumes: [{ name: config, configMap: { name: nowhere } }, { name: config, emptyDir: {} }]
        """;

    private static readonly YamlDotNet.RepresentationModel.YamlMappingNode Pod = Yaml.Documents(Bad)[0];

    [Fact]
    public void Security_BarePod_EveryFactIsFound() => Assert.Equal(10, PodChecks.Security(Pod).Count());

    [Fact]
    public void Probes_MissingAndMisdirected_AreFound() => Assert.Equal(3, PodChecks.Probes(Pod).Count());

    [Fact]
    public void Names_Dangling_AreFound() => Assert.Equal(
        ["no volume key", "no ConfigMap nowhere", "two volumes have one name", "the selector does not match the pod's labels"], PodChecks.Names(Pod, []));
}
