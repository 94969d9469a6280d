{{/* What every container of ours has. 1654 is the user of the chiselled image ($APP_UID). */}}
{{- define "sendproxy.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 1654
runAsGroup: 1654
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* Takes the port's name. Readiness is slower to give up than to come back: a sidecar's readiness is its pod's. */}}
{{- define "sendproxy.probes" -}}
startupProbe:
  httpGet: { path: /startupz, port: {{ . }} }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
{{- end -}}

{{/* Takes the list of { name, secretName }. Always the whole directory: a subPath mount is never updated. */}}
{{- define "sendproxy.secretMounts" -}}
{{- range . }}
- name: sendproxy-secret-{{ .name }}
  mountPath: /run/secrets/{{ .name }}
  readOnly: true
{{- end }}
{{- end -}}

{{/*
Takes (dict "secrets" LIST "mode" MODE). Not optional in Kubernetes' sense: a sidecar without its key answers 503
credential_unavailable, but a pod whose Secret is missing altogether should say so before it starts.
*/}}
{{- define "sendproxy.secretVolumes" -}}
{{- $mode := .mode -}}
{{- range .secrets }}
- name: sendproxy-secret-{{ .name }}
  secret:
    secretName: {{ .secretName }}
    defaultMode: {{ $mode }}
{{- end }}
{{- end -}}

{{/* The port of the first address of a list such as ["[::]:4752"]. */}}
{{- define "sendproxy.port" -}}
{{- regexFind "[0-9]+$" (first .) -}}
{{- end -}}

{{/* A duration of proxy.yaml in whole seconds. */}}
{{- define "sendproxy.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | atoi -}}
{{- if hasSuffix "ms" . -}}1
{{- else if hasSuffix "m" . -}}{{ mul $number 60 }}
{{- else -}}{{ $number }}
{{- end -}}
{{- end -}}

{{/* Takes (dict "config" CONFIG "grace" SECONDS "before" SECONDS "what" NAME): killed while draining is what the drain is there to prevent. */}}
{{- define "sendproxy.checkGrace" -}}
{{- $drain := include "sendproxy.seconds" (dig "shutdown" "drain" "10s" .config) | atoi -}}
{{- $needs := add $drain .before 5 | int -}}
{{- if lt (int .grace) $needs -}}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d; it must be at least %d: shutdown.drain (%d s), a preStop sleep (%d s) and 5 s to end" .what (int .grace) $needs $drain (int .before)) -}}
{{- end -}}
{{- end -}}
