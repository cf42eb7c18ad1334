using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "plain", worker = .plain), (name = "compat", worker = .compat)],
  sockets = [
    (name = "plain", address = "127.0.0.1:0", http = (), service = "plain"),
    (name = "compat", address = "127.0.0.1:0", http = (), service = "compat"),
  ],
);

const modules :List(Workerd.Worker.Module) = [
  (name = "worker/main.mjs", esModule = embed "bundled/worker.mjs"),
  (name = "engine.wasm?module", wasm = embed "node_modules/countersign/pkg/engine.wasm"),
];

# Of a date before `nodejs_compat` became the default.
const plain :Workerd.Worker = (
  modules = .modules,
  compatibilityDate = "2024-09-01",
);

const compat :Workerd.Worker = (
  modules = .modules,
  compatibilityDate = "2026-11-01",
);
