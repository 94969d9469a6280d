{{/*
The sidecar for pods of other charts. Each takes (dict "root" $ "values" VALUES), VALUES being .Values.sendproxy of a chart
that has this one as a dependency. README.md shows all of it in one pod; templates/sidecar/example.yaml is the same, running.
*/}}

{{/* The name of the ConfigMap; it is rendered when sidecar.enabled. */}}
{{- define "sendproxy.sidecar.configName" -}}
{{ include "sendproxy.fullname" . }}-sidecar
{{- end -}}

{{/* One item of initContainers (sidecar.native, default) or of containers. */}}
{{- define "sendproxy.sidecar.container" -}}
{{- $sidecar := .values.sidecar -}}
{{- if not (or $sidecar.enabled .values.example.enabled) -}}
{{- fail "sidecar.enabled is false: the ConfigMap that the sidecar mounts would not exist" -}}
{{- end -}}
- name: sendproxy
  image: {{ include "sendproxy.image" . }}
  imagePullPolicy: {{ .values.image.pullPolicy }}
  {{- if $sidecar.native }}
  restartPolicy: Always
  {{- else if $sidecar.preStopSleepSeconds }}
  # Kubernetes stops all containers of a pod at once; the image has no shell to sleep in.
  lifecycle:
    preStop:
      sleep: { seconds: {{ $sidecar.preStopSleepSeconds }} }
  {{- end }}
  env:
    - { name: SENDPROXY_CONFIG, value: /etc/sendproxy/proxy.yaml }
  ports:
    - { name: sendproxy-mtr, containerPort: {{ include "sendproxy.port" $sidecar.config.listen.metrics }} }
  securityContext:
    {{- include "sendproxy.containerSecurityContext" . | nindent 4 }}
  {{- include "sendproxy.probes" "sendproxy-mtr" | nindent 2 }}
  resources:
    {{- toYaml $sidecar.resources | nindent 4 }}
  volumeMounts:
    - { name: sendproxy-config, mountPath: /etc/sendproxy, readOnly: true }
    {{- include "sendproxy.secretMounts" $sidecar.secrets | trim | nindent 4 }}
{{- end -}}

{{/*
Items of volumes. Mode 0444: the pod's fsGroup is the application's business, and only the sidecar mounts these volumes.
*/}}
{{- define "sendproxy.sidecar.volumes" -}}
- name: sendproxy-config
  configMap:
    name: {{ include "sendproxy.sidecar.configName" . }}
{{ include "sendproxy.secretVolumes" (dict "secrets" .values.sidecar.secrets "mode" "0444") | trim }}
{{- end -}}

{{/* Labels of the pod: what the PodMonitor looks for. */}}
{{- define "sendproxy.sidecar.podLabels" -}}
sendproxy/sidecar: "true"
{{- end -}}

{{/* Environment of the application's container: where to send, instead of the vendor's address. */}}
{{- define "sendproxy.sidecar.appEnv" -}}
- { name: SENDAPI_BASE_URL, value: "http://127.0.0.1:{{ include "sendproxy.port" .values.sidecar.config.listen.egress }}" }
{{- end -}}
