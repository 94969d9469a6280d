{{/*
Names. Each takes (dict "root" $ "values" VALUES): VALUES are this chart's, also where another chart includes the template
(there: .Values.sendproxy), which is why nothing here reads .Chart or root.Values.
*/}}
{{- define "sendproxy.name" -}}
{{- .values.nameOverride | default "sendproxy" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "sendproxy.fullname" -}}
{{- $name := include "sendproxy.name" . -}}
{{- if .values.fullnameOverride -}}
{{- .values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .root.Release.Name -}}
{{- .root.Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .root.Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes of a component: selectors cannot be changed later. Also takes "component". */}}
{{- define "sendproxy.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sendproxy.name" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "sendproxy.labels" -}}
{{ include "sendproxy.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: sendproxy
{{- with .values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sendproxy.image" -}}
{{- $image := .values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- /* A literal, held to Chart.yaml by a test: where another chart includes this, .Chart is that chart's. */ -}}
{{- printf "%s:%s" $image.repository ($image.tag | default "0.1.0") -}}
{{- end -}}
{{- end -}}
