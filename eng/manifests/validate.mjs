// Validates Kubernetes manifests against the published schemas (npm: kubernetes-models, @kubernetes-models/prometheus-operator), as
// strictly as a server with fieldValidation=Strict: an unknown field is an error. Usage: validate.mjs MODULES FILE...
// MODULES is the folder whose node_modules eng/setup.sh filled from package-lock.json.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const load = async (path) => import(pathToFileURL(`${modules}/node_modules/${path}`));
const { parseAllDocuments } = (await load("yaml/dist/index.js")).default;

const folders = {
  v1: "kubernetes-models/v1",
  "apps/v1": "kubernetes-models/apps/v1",
  "policy/v1": "kubernetes-models/policy/v1",
  "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

// The schemas let unknown fields pass. Whatever the validator never reads of an object is unknown to it.
const watched = new Map();
function watch(value) {
  if (value === null || typeof value !== "object") return value;
  const read = new Set();
  const copy = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) copy[key] = watch(value[key]);
  const proxy = new Proxy(copy, {
    get: (target, key) => (read.add(key), target[key]),
    ownKeys: (target) => (Reflect.ownKeys(target).forEach((key) => read.add(key)), Reflect.ownKeys(target)),
  });
  watched.set(proxy, { copy, read });
  return proxy;
}

function* unknown(proxy, path) {
  const { copy, read } = watched.get(proxy) ?? {};
  if (!copy) return;
  for (const key of Object.keys(copy)) {
    if (!Array.isArray(copy) && !read.has(key)) yield `${path}/${key}: unknown field`;
    else yield* unknown(copy[key], `${path}/${key}`);
  }
}

let checked = 0;
const findings = [];
for (const file of files) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const manifest = document.toJS();
    if (document.errors.length > 0) findings.push(`${file}: ${document.errors[0].message}`);
    if (!manifest) continue;
    const place = `${file}: ${manifest.kind} ${manifest.metadata?.name}`;
    const folder = folders[manifest.apiVersion];
    const model = folder && (await load(`${folder}/${manifest.kind}.js`).catch(() => null))?.[manifest.kind];
    if (!model) {
      findings.push(`${place}: no schema of ${manifest.apiVersion} is known here`);
      continue;
    }
    const proxy = watch(manifest);
    try {
      model.prototype.validate.call(proxy);
    } catch (error) {
      findings.push(`${place}: ${error.message}`);
      continue;
    }
    findings.push(...[...unknown(proxy, "")].map((finding) => `${place}: ${finding}`));
    checked++;
  }
}
findings.forEach((finding) => console.error(finding));
console.log(`${checked} manifests looked at, ${findings.length} findings`);
process.exitCode = findings.length > 0 || checked === 0 ? 1 : 0;
