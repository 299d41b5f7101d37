#!/bin/bash
# Starts a node of Kubernetes, and runs a command with its kubectl: node.sh STATE PROGRAMS COMMAND [ARGUMENT]…
# run.sh runs this as the first process of namespaces of its own, so everything ends with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=$1
programs=$2
shift 2
keys=$state/keys
node=10.99.0.1
pods=10.244.0.0/24
services=10.96.0.0/16
export PATH=$programs:$PATH KUBECONFIG=$keys/admin.conf KUBECACHEDIR=$state/kubectl

fail() {
  echo "test cluster: $*" >&2
  exit 1
}
# start NAME COMMAND…: in the background, with a log
start() {
  local name=$1
  shift
  "$@" >"$state/log/$name.log" 2>&1 </dev/null &
}
# await NAME COMMAND…: until the command succeeds; NAME is the log that tells why it does not
await() {
  local name=$1 tries=240
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { tail -n 20 "$state/log/$name.log" >&2; fail "$name does not respond after 120 s: $*"; }
    sleep 0.5
  done
}

mkdir -p "$state"/{log,var-log,cni}
mount --make-rshared / # volumes of the kubelet are seen in containers
mount -t tmpfs tmpfs /run
mount --bind "$state/var-log" /var/log
mount --bind "$state/traces" /traces
mount -t tmpfs tmpfs /var/lib/cni     # CNI's results
mount -t tmpfs tmpfs /var/lib/kubelet # the socket for device plugins
ip link set lo up
ip link add node type bridge
ip address add "$node/32" dev node
ip link set node up
ip route add default dev node # connections to Services need a route before they are redirected

"$here/keys.sh" "$keys" "$node"

start etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync
await etcd bash -c ': </dev/tcp/127.0.0.1/2379'

start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address="$node" \
  --service-cluster-ip-range="$services" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --allow-privileged --client-ca-file="$keys/ca.crt" \
  --tls-cert-file="$keys/apiserver.crt" --tls-private-key-file="$keys/apiserver.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$keys/service-accounts.pub" \
  --service-account-signing-key-file="$keys/service-accounts.key" \
  --kubelet-client-certificate="$keys/kubelet-client.crt" --kubelet-client-key="$keys/kubelet-client.key" \
  --kubelet-preferred-address-types=InternalIP --enable-aggregator-routing \
  --requestheader-client-ca-file="$keys/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$keys/front-proxy.crt" --proxy-client-key-file="$keys/front-proxy.key"
await kube-apiserver kubectl get --raw /readyz

as() { echo "--kubeconfig=$keys/$1.conf --authentication-kubeconfig=$keys/$1.conf --authorization-kubeconfig=$keys/$1.conf"; }
# shellcheck disable=SC2046 -- a list of words
start kube-controller-manager kube-controller-manager $(as controllers) --bind-address=127.0.0.1 --leader-elect=false \
  --use-service-account-credentials --service-account-private-key-file="$keys/service-accounts.key" \
  --root-ca-file="$keys/ca.crt" --horizontal-pod-autoscaler-sync-period=2s \
  --flex-volume-plugin-dir="$state/volume-plugins"
# shellcheck disable=SC2046
start kube-scheduler kube-scheduler $(as scheduler) --bind-address=127.0.0.1 --leader-elect=false
start dns "$NODE" "$here/stand-ins/dns.mjs" "$node" https://127.0.0.1:6443 "$keys"

cat >"$state/cni/pods.conflist" <<JSON
{ "cniVersion": "0.4.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true, "hairpinMode": true,
    "ipam": { "type": "host-local", "dataDir": "$state/addresses", "ranges": [[{ "subnet": "$pods" }]],
      "routes": [{ "dst": "0.0.0.0/0" }] } } ] }
JSON
# A process without CAP_SYS_RESOURCE cannot lower the score by which the kernel chooses what it kills.
cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$state/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/bigtrace-test/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
TOML
start containerd containerd --config "$state/containerd.toml"
await containerd ctr --address /run/containerd.sock version
ctr --address /run/containerd.sock --namespace k8s.io images import "$state/images.tar" >"$state/log/images.log" 2>&1 ||
  fail "cannot import the images: $(tail -n 3 "$state/log/images.log")"
rm "$state/images.tar"

cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node
authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: $keys/ca.crt } }
authorization: { mode: Webhook }
tlsCertFile: $keys/node.crt
tlsPrivateKeyFile: $keys/node.key
cgroupDriver: cgroupfs
cgroupRoot: /bigtrace-cluster
clusterDNS: [$node]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd.sock
failSwapOn: false
evictionHard: { memory.available: 100Mi, nodefs.available: 2%, imagefs.available: 2% }
imageGCHighThresholdPercent: 100
resolvConf: ''
volumePluginDir: $state/volume-plugins
YAML
start kubelet kubelet --config="$state/kubelet.yaml" --kubeconfig="$keys/node.conf" --hostname-override=node1 \
  --node-ip="$node" --root-dir="$state/kubelet" --cert-dir="$state/kubelet-keys"

cat >"$state/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $pods
clientConnection: { kubeconfig: $keys/proxy.conf }
hostnameOverride: node1
conntrack: { maxPerCore: 0 }
YAML
start kube-proxy kube-proxy --config="$state/proxy.yaml"
await kubelet kubectl get node node1
start kube-router kube-router --kubeconfig="$KUBECONFIG" --hostname-override=node1 --run-router=false \
  --run-service-proxy=false --run-firewall=true --service-cluster-ip-range="$services" --health-port=0

kubectl apply -f - <<YAML >/dev/null
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: standard, annotations: { storageclass.kubernetes.io/is-default-class: 'true' } }
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk }
spec:
  capacity: { storage: 5Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: standard
  persistentVolumeReclaimPolicy: Retain
  local: { path: $state/disk }
  nodeAffinity:
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node1] }] }] }
YAML
mkdir "$state/disk"
await kubelet kubectl wait --for=condition=Ready --timeout=1s node/node1
await kube-controller-manager kubectl get serviceaccount default

echo "test cluster: a node of Kubernetes $(kubectl get node node1 -o jsonpath='{.status.nodeInfo.kubeletVersion}') is ready" \
  "after $SECONDS s: $(kubectl get node node1 -o jsonpath='{.status.nodeInfo.containerRuntimeVersion}'), $(etcd --version | head -1)," \
  "$(runc --version | head -1), $(iptables --version)"
"$@"
