#!/bin/bash
# Tests the manifests on a node of Kubernetes: run.sh [VITEST_ARGUMENT]…, as root. The node runs in namespaces of its own
# (mounts, network, processes), and nothing of it remains. What it is made of remains: Debian's packages, whose services
# etcd and containerd Debian starts where systemd runs; the images, and dockerd; the programs in the user's cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..

# Ends with an error, so that a run that tested nothing does not pass for one that did.
SKIPPED=77
skip() {
  echo "== SKIPPED: npm run test:cluster tested NOTHING: $*" >&2
  exit "$SKIPPED"
}
[ "$(id -u)" = 0 ] || skip 'it needs root, for namespaces, mounts and network interfaces'
command -v go >/dev/null || skip 'it needs Go, to build Kubernetes'

packages=(containerd containernetworking-plugins etcd-server ipset iptables conntrack iproute2 openssl runc)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
    missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends \
    --no-remove "${missing[@]}" # containerd would replace Docker's own package containerd.io, and Docker with it
fi

node "$root/tools/build/prepare.mjs"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/bigtrace/cluster
mkdir -p "$cache"
exec 8>"$cache/run-lock"
flock 8 # one node at a time: its cgroups have a name

state=$(mktemp -d /var/tmp/bigtrace-cluster.XXXXXX)
kernel_settings=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys
  kernel/keys/root_maxbytes net/netfilter/nf_conntrack_max)
declare -A before
# The volume of k8s/overlays/minikube, and directories that programs write to whatever their flags; node.sh mounts its own.
mounted=(/traces /var/lib/cni /var/lib/kubelet)
made=()
node=
cgroups() { find /sys/fs/cgroup -maxdepth 2 -type d -name bigtrace-cluster; }
remove() {
  local setting cgroup tries=50
  set +e # whatever cannot be removed, the rest is
  [ -z "$node" ] || kill -KILL "$node" 2>/dev/null || true # and with it the processes in its namespaces
  for setting in "${!before[@]}"; do
    [ "$(cat "/proc/sys/$setting")" = "${before[$setting]}" ] || echo "${before[$setting]}" >"/proc/sys/$setting"
  done
  while [ -n "$(cgroups)" ] && [ "$tries" -gt 0 ]; do # a cgroup is busy until its last process has ended
    for cgroup in $(cgroups); do find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    tries=$((tries - 1))
    [ -z "$(cgroups)" ] || sleep 0.2
  done
  [ -z "$(cgroups)" ] || echo "test cluster: cannot remove $(cgroups | xargs)" >&2
  [ "${#made[@]}" -eq 0 ] || rmdir "${made[@]}"
  rm -rf "$state"
}
trap remove EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# What the node needs of the kernel.
possible() {
  cat <<'SH'
set -e
cd "$1"
mkdir lower upper work merged
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
ip link add pods type bridge
ip link add one type veth peer name other
test -e /proc/sys/net/bridge/bridge-nf-call-iptables
iptables -A FORWARD -m comment --comment test -m conntrack --ctstate NEW -m statistic --mode random --probability 0.5 -j ACCEPT
ipset create test hash:ip
iptables -A FORWARD -m set --match-set test src -j ACCEPT
SH
}
mkdir "$state/possible"
spaces=(unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc --propagation private)
reason=$("${spaces[@]}" bash -xc "$(possible)" possible "$state/possible" 2>&1) ||
  skip "the kernel forbids what a node needs: $(tail -n 2 <<<"$reason" | xargs)"
for controller in cpu memory pids; do
  grep -qw "$controller" /proc/cgroups || skip "the kernel has no cgroup controller $controller"
done

programs=$("$here/build.sh")
if [ ! -x "$root/node_modules/.cache/helm" ]; then # the node has no network to fetch it (test/harness/kubernetes.ts)
  helm=$(sed -n "s/^const HELM = '\(.*\)';/\1/p" "$root/test/harness/kubernetes.ts")
  mkdir -p "$root/node_modules/.cache"
  GOBIN=$(realpath "$root/node_modules/.cache") CGO_ENABLED=0 go install -ldflags=-s "$helm" >&2
fi
(cd "$here/keda-client" && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$state/keda-client" .) >&2
# The version that upgrade.cluster-test.ts upgrades from.
previous=${CLUSTER_PREVIOUS-$(git -C "$root" describe --tags --abbrev=0 --match 'v*' HEAD^ 2>/dev/null || true)}
[ -n "$previous" ] || echo "test cluster: no version to upgrade from (CLUSTER_PREVIOUS, a tag v*): upgrade tests nothing" >&2
"$here/images.sh" "$programs" "$state/images.tar" "$previous" 8>&- # a dockerd that it starts must not keep the lock
cp -r "$root/samples/traces" "$state/traces"

for setting in "${kernel_settings[@]}"; do
  [ ! -e "/proc/sys/$setting" ] || before[$setting]=$(cat "/proc/sys/$setting")
done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/bigtrace-cluster
else
  for hierarchy in /sys/fs/cgroup/*/; do mkdir -p "$hierarchy/bigtrace-cluster"; done
fi
for directory in "${mounted[@]}"; do
  [ -d "$directory" ] || { mkdir "$directory" && made+=("$directory"); }
done

outcome=0
cd "$root"
NODE=$(command -v node) CLUSTER_STATE=$state CLUSTER_PREVIOUS=$previous "${spaces[@]}" "$here/node.sh" "$state" "$programs" \
  node tools/test-run/stage.mjs cluster cluster "$@" &
node=$!
wait "$node" || outcome=$?
node=
if [ "$outcome" -ne 0 ]; then
  mkdir -p test-results
  rm -rf test-results/cluster
  cp -r "$state/log" test-results/cluster
  echo "test cluster: the logs of its programs are in test-results/cluster" >&2
fi
exit "$outcome"
