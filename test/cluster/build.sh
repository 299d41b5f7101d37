#!/bin/bash
# Builds the programs of Kubernetes, and prints the directory that contains them. They are kept in the user's cache,
# named after what they are made of. A build takes about 13 minutes of processor time and 9 GB, which it frees at its
# end; one that was interrupted is continued.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bigtrace/cluster
cd "$here/kubernetes"

version=$(sed -n 's|.*k8s.io/kubernetes ||p' go.mod)
sources=$(cat go.mod go.sum main.go pause/main.go | sha256sum | cut -c 1-12)
programs=$cache/kubernetes-$version-$sources
building=$programs.building

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # one build at a time
if [ ! -d "$programs" ]; then
  echo "building Kubernetes $version and kube-router with $(go version)" >&2
  named=k8s.io/component-base/version
  minor=$(cut -d . -f 2 <<<"$version")
  mkdir -p "$building/programs"
  # The compiler collects garbage less often than by default, which saves time.
  GOMODCACHE=$building/modules GOCACHE=$building/objects CGO_ENABLED=0 GOGC=400 \
    go build -trimpath -o "$building/programs/" \
    -ldflags "-s -w -X $named.gitVersion=$version -X $named.gitMajor=1 -X $named.gitMinor=$minor" \
    . ./pause github.com/cloudnativelabs/kube-router/v2/cmd/kube-router >&2
  for name in kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet; do
    ln -sf kubernetes "$building/programs/$name"
  done
  mv "$building/programs" "$programs"
  chmod -R u+w "$building" # Go makes its modules read-only
  rm -rf "$building"
fi
echo "$programs"
