# syntax=docker/dockerfile:1
# The image: one executable and SQLite on a base without shell, package manager or root. Build: docker build -t sendproxy .
# It runs with a read-only root file system (docker run --read-only); only /var/lib/sendproxy, the journal, is written to.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG TARGETARCH=amd64
# CI: the restore is locked to packages.lock.json.
ENV CI=true DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
RUN apt-get update \
    && apt-get install -y --no-install-recommends clang zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# What the restore reads comes first: this layer is kept until a version changes.
COPY global.json NuGet.config Directory.Build.props Directory.Packages.props ./
COPY src/SendProxy/SendProxy.csproj src/SendProxy/packages.lock.json src/SendProxy/
# Without -r: that would name fewer runtimes than the lock file does, which a locked restore refuses.
RUN dotnet restore src/SendProxy/SendProxy.csproj --locked-mode
COPY .editorconfig ./
COPY eng eng
COPY src/SendProxy src/SendProxy
RUN bash eng/publish.sh "linux-$(echo "$TARGETARCH" | sed s/amd64/x64/)" \
    && mv artifacts/publish/linux-*/ /app && mkdir /journal

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
LABEL org.opencontainers.image.title="SendProxy" \
      org.opencontainers.image.description="Egress proxy that holds the key, keeps the limits and sends nothing twice"
# A dump of this process would hold keys; and no diagnostics port is opened in a file system that is read-only.
ENV DOTNET_DbgEnableMiniDump=0 \
    DOTNET_EnableDiagnostics=0 \
    SENDPROXY_CONFIG=/etc/sendproxy/proxy.yaml
COPY --from=build /app /app
# 1654 is APP_UID of the base: a new named volume takes the directory's owner.
COPY --from=build --chown=1654:1654 /journal /var/lib/sendproxy
VOLUME /var/lib/sendproxy
WORKDIR /app
# 4750, the port for applications, listens on loopback only: it is for the containers of one pod.
EXPOSE 4751 4752
USER $APP_UID
# Kubernetes probes /livez and /readyz; there is no shell or curl in here to probe with.
HEALTHCHECK NONE
ENTRYPOINT ["/app/sendproxy"]
