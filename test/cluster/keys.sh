#!/bin/bash
# Makes the certificates and kubeconfigs of the cluster's programs: keys.sh DIRECTORY NODE_ADDRESS
set -euo pipefail
node=$2
mkdir -p "$1"
cd "$1"

authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
# certificate NAME SUBJECT AUTHORITY [ALTERNATIVE_NAMES]
certificate() {
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  {
    echo 'extendedKeyUsage=serverAuth,clientAuth'
    [ -z "${4:-}" ] || echo "subjectAltName=$4"
  } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -days 30 -extfile "$1.ext" \
    -out "$1.crt" 2>/dev/null
}

authority ca
authority front-proxy-ca
openssl genrsa -out service-accounts.key 2048 2>/dev/null
openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null

api=kubernetes.default
certificate apiserver /CN=kube-apiserver ca \
  "DNS:localhost,DNS:$api,DNS:$api.svc,DNS:$api.svc.cluster.local,IP:127.0.0.1,IP:10.96.0.1,IP:$node"
certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client ca
certificate front-proxy /CN=front-proxy-client front-proxy-ca
certificate admin /O=system:masters/CN=admin ca
certificate controllers /CN=system:kube-controller-manager ca
certificate scheduler /CN=system:kube-scheduler ca
certificate proxy /CN=system:kube-proxy ca
certificate node /O=system:nodes/CN=system:node:node1 ca "DNS:node1,IP:$node,IP:127.0.0.1"

for name in admin controllers scheduler proxy node; do
  cat >"$name.conf" <<YAML
apiVersion: v1
kind: Config
clusters: [{ name: test, cluster: { server: 'https://127.0.0.1:6443', certificate-authority: '$PWD/ca.crt' } }]
users: [{ name: '$name', user: { client-certificate: '$PWD/$name.crt', client-key: '$PWD/$name.key' } }]
contexts: [{ name: test, context: { cluster: test, user: '$name' } }]
current-context: test
YAML
done
