/**
 * `npm run cluster -- --port 6443 --topology three-nodes --speed 10 --seed 1 [--kubeconfig FILE]`
 *
 * Serves a world's API server on 127.0.0.1 and prints one JSON line once the cluster is up.
 */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { serve } from '../src/hosts/http.ts';
import { Headless, keepPace } from '../src/hosts/node.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '6443' },
    topology: { type: 'string', default: 'three-nodes' },
    speed: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    kubeconfig: { type: 'string' },
  },
});
const factor = values.speed === 'max' ? Number.POSITIVE_INFINITY : Number(values.speed);
if (!(factor > 0)) {
  console.error(`--speed is virtual seconds per real second, or max, not ${values.speed}`);
  process.exit(2);
}

const headless = Headless.start(values.topology, Number(values.seed));
await headless.untilReady();
const server = await serve(headless, Number(values.port));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
if (values.kubeconfig) {
  writeFileSync(
    values.kubeconfig,
    JSON.stringify(
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'orrery', cluster: { server: url } }],
        users: [{ name: 'kubernetes-admin', user: {} }],
        contexts: [{ name: 'kubernetes-admin@orrery', context: { cluster: 'orrery', user: 'kubernetes-admin' } }],
        'current-context': 'kubernetes-admin@orrery',
      },
      null,
      2,
    ),
  );
}
console.log(JSON.stringify({ server: url, ready: true }));

let stopped = false;
const stop = (): void => {
  stopped = true;
  server.close();
  server.closeAllConnections();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
await keepPace(headless.world, factor, () => stopped);
