using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "app", worker = .app), (name = "clock", disk = (path = "."))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);

const app :Workerd.Worker = (
  modules = [
    (name = "worker/main.mjs", esModule = embed "worker.mjs"),
    (name = "engine.wasm?module", wasm = embed "engine.wasm"),
  ],
  compatibilityDate = "2026-11-01",
  bindings = [
    (name = "CLOCK", service = "clock"),
    (name = "POLICY", fromEnvironment = "POLICY"),
    (name = "COUNTERSIGN_KEYS", fromEnvironment = "COUNTERSIGN_KEYS"),
  ],
);
