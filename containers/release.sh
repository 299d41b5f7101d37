#!/bin/sh
# Builds the images for amd64 and arm64 with an SBOM and provenance, pushes them to BIGTRACE_IMAGES, and signs them with
# cosign if COSIGN_KEY names a key (a file or the address of a key service):
#   BIGTRACE_IMAGES=registry.example/bigtrace containers/release.sh [--print]
# With --print it shows what would be built, and needs no daemon. A build needs a builder for both platforms, and for Superset's
# image an emulator:
#   docker run --privileged --rm tonistiigi/binfmt --install arm64
#   docker buildx create --use
set -eu
cd "$(dirname "$0")/.."
: "${BIGTRACE_IMAGES:?set it to the registry and repository, such as registry.example/bigtrace}"
BIGTRACE_VERSION=${BIGTRACE_VERSION:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)}
export BIGTRACE_IMAGES BIGTRACE_VERSION

digests=$(mktemp)
trap 'rm -f "$digests"' EXIT
what='--push'
if [ "${1:-}" = --print ]; then what='--print'; fi
docker buildx bake --file compose.yaml "$what" --metadata-file "$digests" --sbom=true --provenance=mode=max \
  --set '*.platform=linux/amd64,linux/arm64' --set "*.args.VERSION=$BIGTRACE_VERSION"
if [ "$what" = --print ]; then exit; fi

# Signs digests, not tags, which can be moved.
pushed=$(node -e '
  for (const one of Object.values(JSON.parse(require("node:fs").readFileSync(process.argv[1]))))
    if (one["containerimage.digest"]) console.log(one["image.name"].replace(/:[^:/]*$/, "") + "@" + one["containerimage.digest"]);
' "$digests")
: "${pushed:?docker named no digest of an image}"
for image in $pushed; do
  echo "$image"
  if [ -n "${COSIGN_KEY:-}" ]; then cosign sign --yes --key "$COSIGN_KEY" "$image"; fi
done
