{{/*
Prints the objects of a manifest of k8s/, changed by the values.
Takes a dict: root ($), file (below files/), skip (a list of Kind/name), and annotations of all objects.
*/}}
{{- define "bigtrace.objects" -}}
{{- $root := .root -}}
{{- $skip := .skip | default list -}}
{{- $annotations := .annotations | default dict -}}
{{- range $text := splitList "\n---\n" ($root.Files.Get (printf "files/%s" .file)) }}
{{- $object := fromYaml $text }}
{{- if hasKey $object "Error" }}{{ fail (printf "%s: %s" $.file $object.Error) }}{{ end }}
{{- if and $object.kind (not (has (printf "%s/%s" $object.kind $object.metadata.name) $skip)) }}
{{- include "bigtrace.labels" (dict "root" $root "object" $object) }}
{{- if $annotations }}{{ $_ := set $object.metadata "annotations" $annotations }}{{ end }}
{{- include "bigtrace.change" (dict "root" $root "object" $object) }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
{{- end }}

{{/* Sets the namespace and the labels of an object. */}}
{{- define "bigtrace.labels" -}}
{{- $ours := dict "app.kubernetes.io/part-of" "bigtrace" }}
{{- $chart := dict "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) "app.kubernetes.io/managed-by" .root.Release.Service "app.kubernetes.io/instance" .root.Release.Name }}
{{- if not (hasPrefix "ValidatingAdmissionPolicy" .object.kind) }}{{/* which no namespace contains */}}
  {{- $_ := set .object.metadata "namespace" .root.Release.Namespace }}
{{- end }}
{{- $_ := set .object.metadata "labels" (merge (.object.metadata.labels | default dict) $ours $chart) }}
{{- end }}

{{/* Changes an object by the values of its part. */}}
{{- define "bigtrace.change" -}}
{{- $object := .object }}
{{- $values := .root.Values }}
{{- $name := $object.metadata.name }}
{{- $part := index $values (ternary "httpApi" $name (eq $name "http-api")) | default dict }}
{{- if eq $object.kind "ServiceAccount" }}
  {{- with $part.serviceAccountAnnotations }}{{ $_ := set $object.metadata "annotations" . }}{{ end }}
{{- else if eq $object.kind "HorizontalPodAutoscaler" }}
  {{- $_ := set $object.spec "minReplicas" $values.worker.replicas.min }}
  {{- $_ := set $object.spec "maxReplicas" $values.worker.replicas.max }}
{{- else if eq $object.kind "ScaledObject" }}
  {{- $_ := set $object.spec "minReplicaCount" $values.worker.replicas.min }}
  {{- $_ := set $object.spec "maxReplicaCount" $values.worker.replicas.max }}
  {{- $metadata := (first $object.spec.triggers).metadata }}
  {{- $_ := set $metadata "scalerAddress" (printf "orchestrator.%s:5051" .root.Release.Namespace) }}
  {{- $_ := set $metadata "tracesPerWorker" (toString $values.autoscaling.tracesPerWorker) }}
  {{- $_ := set $metadata "traceBytesPerWorker" (toString $values.autoscaling.traceBytesPerWorker) }}
{{- else if has $object.kind (list "Deployment" "StatefulSet") }}
  {{- if and (has $name (list "orchestrator" "http-api")) (hasKey $part "replicas") }}
    {{- $_ := set $object.spec "replicas" $part.replicas }}
  {{- end }}
  {{- range $object.spec.volumeClaimTemplates }}
    {{- $_ := set .metadata "labels" (dict "app.kubernetes.io/part-of" "bigtrace") }}
    {{- $_ := set .spec.resources.requests "storage" $part.storage }}
    {{- if $part.storageClassName }}{{ $_ := set .spec "storageClassName" $part.storageClassName }}{{ end }}
  {{- end }}
  {{- include "bigtrace.pod" (dict "root" .root "template" $object.spec.template "part" $part) }}
{{- else if has $object.kind (list "RoleBinding" "ValidatingAdmissionPolicy" "ValidatingAdmissionPolicyBinding") }}
  {{- include "bigtrace.ofNamespace" (dict "namespace" .root.Release.Namespace "object" $object) }}
{{- else if eq $object.kind "CronJob" }}
  {{- include "bigtrace.pod" (dict "root" .root "template" $object.spec.jobTemplate.spec.template "part" dict) }}
  {{- if eq $name "index" }}
    {{- $_ := set $object.spec "schedule" $values.catalogJobs.schedule }}
    {{- $_ := set (first $object.spec.jobTemplate.spec.template.spec.containers) "args" $values.catalogJobs.traces }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Replaces the namespace bigtrace, where a manifest names it: in accounts, and in names that the whole cluster shares. */}}
{{- define "bigtrace.ofNamespace" -}}
{{- $object := .object }}
{{- $policy := printf "%s-worker-deletion-cost" .namespace }}
{{- if eq $object.kind "RoleBinding" }}
  {{- range $object.subjects }}{{ $_ := set . "namespace" $.namespace }}{{ end }}
{{- else }}
  {{- $_ := set $object.metadata "name" $policy }}
  {{- if $object.spec.policyName }}{{ $_ := set $object.spec "policyName" $policy }}{{ end }}
  {{- range $object.spec.matchConditions }}
    {{- $_ := set . "expression" (replace ":bigtrace:" (printf ":%s:" $.namespace) .expression) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Changes the template of a pod by the values of its part. */}}
{{- define "bigtrace.pod" -}}
{{- $template := .template }}
{{- $part := .part }}
{{- $spec := $template.spec }}
{{- $container := first $spec.containers }}
{{- $settings := include "bigtrace.settings" .root }}
{{- $annotations := dict "checksum/settings" (sha256sum $settings) }}
{{- if eq $container.name "clickhouse" }}
  {{- $_ := set $annotations "checksum/configuration" (sha256sum (include "bigtrace.clickhouseConfig" .root)) }}
{{- end }}
{{- $metadata := $template.metadata }}
{{- $_ := set $metadata "labels" (merge $metadata.labels (dict "app.kubernetes.io/part-of" "bigtrace")) }}
{{- $_ := set $metadata "annotations" (merge ($metadata.annotations | default dict) $annotations) }}
{{- $image := regexFind "[^/:]+:" $container.image | trimSuffix ":" }}
{{- $_ := set $container "image" (printf "%s/%s:%s" .root.Values.image.repository $image (.root.Values.image.tag | default .root.Chart.AppVersion)) }}
{{- range $key := list "resources" "args" }}
  {{- if hasKey $part $key }}{{ $_ := set $container $key (index $part $key) }}{{ end }}
{{- end }}
{{- if and (eq $container.name "worker") .root.Values.worker.podDeletionCost }}
  {{- $component := fromYaml (.root.Files.Get "files/components/pod-deletion-cost/kustomization.yaml") }}
  {{- $added := (fromYaml (first $component.patches).patch).spec.template.spec }}
  {{- range $key := list "env" "volumeMounts" }}
    {{- $_ := set $container $key (concat (index $container $key | default list) (index (first $added.containers) $key)) }}
  {{- end }}
  {{- $_ := set $spec "volumes" (concat $spec.volumes $added.volumes) }}
{{- end }}
{{- with $part.extraEnv }}{{ $_ := set $container "env" (concat ($container.env | default list) .) }}{{ end }}
{{- with $part.extraVolumeMounts }}{{ $_ := set $container "volumeMounts" (concat $container.volumeMounts .) }}{{ end }}
{{- with $part.extraVolumes }}{{ $_ := set $spec "volumes" (concat $spec.volumes .) }}{{ end }}
{{- range $spec.volumes }}
  {{- if and (eq .name "cache") $part.cacheSize }}{{ $_ := set .emptyDir "sizeLimit" $part.cacheSize }}{{ end }}
{{- end }}
{{- $_ := mergeOverwrite $container (deepCopy ($part.container | default dict)) }}
{{- $_ := mergeOverwrite $spec (deepCopy ($part.pod | default dict)) }}
{{- end }}

{{/* The data of the ConfigMap bigtrace-settings: the literals of k8s/base/kustomization.yaml, and the values. */}}
{{- define "bigtrace.settings" -}}
{{- $settings := dict }}
{{- range (fromYaml (.Files.Get "files/base/kustomization.yaml")).configMapGenerator }}
  {{- range .literals }}
    {{- $pair := regexSplit "=" . 2 }}
    {{- $_ := set $settings (first $pair) (last $pair) }}
  {{- end }}
{{- end }}
{{- $_ := set $settings "BIGTRACE_CLICKHOUSE" .Values.clickhouse.url }}
{{- with .Values.superset.url }}{{ $_ := set $settings "BIGTRACE_PUBLIC_URL" . }}{{ end }}
{{- if eq .Values.autoscaling.by "keda" }}
  {{- range (fromYaml (.Files.Get "files/components/keda/kustomization.yaml")).configMapGenerator }}
    {{- range .literals }}
      {{- $pair := regexSplit "=" . 2 }}
      {{- $_ := set $settings (first $pair) (last $pair) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}{{ $_ := set $settings $name (toString $value) }}{{ end }}
{{- toYaml $settings }}
{{- end }}

{{- define "bigtrace.clickhouseConfig" -}}
{{ toYaml (dict "config.xml" (.Files.Get "files/config.xml") "users.xml" (.Files.Get "files/users.xml") "clickhouse-server.xml" (.Files.Get "files/base/clickhouse-server.xml")) }}
{{- end }}

{{/* Prints an object of the chart itself. Takes root and object. */}}
{{- define "bigtrace.own" -}}
{{- include "bigtrace.labels" . }}
---
{{ toYaml .object }}
{{- end }}
