{{- define "rooftree.labels" -}}
app.kubernetes.io/name: rooftree
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "rooftree.selector" -}}
app.kubernetes.io/name: rooftree
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "rooftree.name" -}}
{{ printf "%s-%s" .root.Release.Name .component | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "rooftree.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Numbers of a values file are floats to Helm, which writes large ones as 1.048576e+07: no setting takes that. */}}
{{- define "rooftree.value" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Variables of a role: its own go before those of all. */}}
{{- define "rooftree.environment" -}}
{{- $settings := merge (dict) (.settings | default dict) .root.Values.settings -}}
{{- $secrets := merge (dict) (.secrets | default dict) .root.Values.secrets -}}
{{- range $name, $value := $settings }}
- name: {{ $name }}
  value: {{ include "rooftree.value" $value | quote }}
{{- end }}
{{- range $name, $from := $secrets }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.name }}
      key: {{ $from.key }}
{{- end }}
{{- end }}

{{- define "rooftree.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rooftree.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "rooftree.mounts" -}}
{{- if .Values.certificates.secretName }}
volumeMounts:
  - name: certificates
    mountPath: /etc/rooftree/certificates
    readOnly: true
{{- end }}
{{- end }}

{{- define "rooftree.volumes" -}}
{{- if .Values.certificates.secretName }}
volumes:
  - name: certificates
    secret:
      secretName: {{ .Values.certificates.secretName }}
      defaultMode: 0440
{{- end }}
{{- end }}

{{- define "rooftree.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
