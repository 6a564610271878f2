import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The running service that the development server hands `/api` to. */
const service = process.env["PACELINE_URL"] ?? "http://127.0.0.1:8080";

/** Packages that every page needs; one chunk, so that a change of the console's own code leaves it cached. */
const CORE = /node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\//;
const ANTD = /node_modules\/(antd|@ant-design|@rc-component|rc-|dayjs|@emotion|stylis)/;

export default defineConfig({
  plugins: [react()],
  // The service takes changes from its own pages only, so the proxy names the service as their origin.
  server: { proxy: { "/api": { target: service, changeOrigin: true, headers: { origin: service } } } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "core", test: CORE, priority: 2 },
            { name: "antd", test: ANTD, priority: 1 },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
