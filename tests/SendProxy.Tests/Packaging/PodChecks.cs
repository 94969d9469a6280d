using YamlDotNet.RepresentationModel;

namespace SendProxy.Tests.Packaging;

/// <summary>Facts about the pods of rendered documents. Each finding names the place and what is missing.</summary>
internal static class PodChecks
{
    public const string Proxy = "sendproxy";

    /// <returns>Deployments and StatefulSets.</returns>
    public static IEnumerable<YamlMappingNode> Workloads(IEnumerable<YamlMappingNode> documents) =>
        documents.Where(d => d.At("spec", "template", "spec") is not null);

    public static IEnumerable<YamlNode> Containers(YamlNode workload) =>
        workload.Items("spec", "template", "spec", "initContainers").Concat(workload.Items("spec", "template", "spec", "containers"));

    public static IEnumerable<string> Security(YamlNode workload)
    {
        if (workload.Text("spec", "template", "spec", "automountServiceAccountToken") != "false")
        {
            yield return "the pod gets a service account token";
        }

        foreach (var container in Containers(workload))
        {
            var context = container.At("securityContext");
            (bool Good, string What)[] facts =
            [
                (context.Text("allowPrivilegeEscalation") == "false", "allowPrivilegeEscalation: false"),
                (context.Text("readOnlyRootFilesystem") == "true", "readOnlyRootFilesystem: true"),
                (context.Text("runAsNonRoot") == "true", "runAsNonRoot: true"),
                (context.Items("capabilities", "drop").Any(c => c.Text() == "ALL"), "capabilities.drop: [ALL]"),
                (context.Text("seccompProfile", "type") == "RuntimeDefault", "seccompProfile: RuntimeDefault"),
                (context.Text("privileged") is null or "false", "no privileged"),
                (container.Text("resources", "limits", "memory") is not null, "resources.limits.memory"),
                (container.Items("volumeMounts").All(m => m.At("subPath") is null), "no subPath: it is never updated"),
                (container.Items("env").All(e => e.At("valueFrom", "secretKeyRef") is null), "no secret in an environment variable"),
            ];
            foreach (var (_, what) in facts.Where(f => !f.Good))
            {
                yield return $"{container.Text("name")}: {what}";
            }
        }
    }

    public static IEnumerable<string> Probes(YamlNode workload)
    {
        foreach (var container in Containers(workload).Where(c => c.Text("name") == Proxy))
        {
            foreach (var (probe, path) in new[] { ("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz") })
            {
                var port = container.Text(probe, "httpGet", "port");
                if (container.Text(probe, "httpGet", "path") != path || container.Items("ports").All(p => p.Text("name") != port))
                {
                    yield return $"{probe} must ask {path} on a port of the container";
                }
            }
        }
    }

    /// <summary>Names that Kubernetes would look for and not find.</summary>
    public static IEnumerable<string> Names(YamlNode workload, IReadOnlyList<YamlMappingNode> documents)
    {
        var volumes = workload.Items("spec", "template", "spec", "volumes");
        var names = volumes.Select(v => v.Text("name")).Concat(workload.Items("spec", "volumeClaimTemplates").Select(v => v.Text("metadata", "name"))).ToArray();
        foreach (var mount in Containers(workload).SelectMany(c => c.Items("volumeMounts")).Where(m => !names.Contains(m.Text("name"))))
        {
            yield return $"no volume {mount.Text("name")}";
        }

        foreach (var map in volumes.Select(v => v.Text("configMap", "name")).OfType<string>())
        {
            if (!documents.Any(d => d.Text("kind") == "ConfigMap" && d.Text("metadata", "name") == map))
            {
                yield return $"no ConfigMap {map}";
            }
        }

        if (names.Distinct().Count() != names.Length)
        {
            yield return "two volumes have one name";
        }

        if (!Selects(workload.Map("spec", "selector", "matchLabels"), workload))
        {
            yield return "the selector does not match the pod's labels";
        }
    }

    public static bool Selects(IReadOnlyDictionary<string, string> selector, YamlNode workload)
    {
        var labels = workload.Map("spec", "template", "metadata", "labels");
        return selector.Count > 0 && selector.All(s => labels.TryGetValue(s.Key, out var value) && value == s.Value);
    }
}
