/** What comes and goes over HTTP is part of the session: played again, it gives the same world. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { seconds } from '../sim/clock.ts';
import { serve } from './http.ts';
import { Headless } from './node.ts';

const POD = '/api/v1/namespaces/default/pods/talker';

/** A cluster with a pod that writes a line a second, served on a port of its own. */
async function served() {
  const headless = Headless.start('single', 3);
  await headless.untilReady();
  await headless.run(`kubectl run talker --image=busybox:1.36 --restart=Never -- sh -c 'while true; do date; sleep 1; done'`);
  await headless.world.run(headless.world.now + seconds(30));
  const server = await serve(headless, 0);
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** Lets the world and what listens to it go on, by turns, until something is so. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      await headless.world.run(headless.world.now + seconds(1) / 10);
      await setImmediate();
    }
  };
  const open = async (path: string): Promise<{ response: IncomingMessage; lines: () => number }> => {
    let response: IncomingMessage | undefined;
    let text = '';
    get(`http://${address}${path}`, (answer) => {
      response = answer;
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('error', () => {});
    });
    await until(() => response !== undefined);
    return { response: response!, lines: () => text.split('\n').length - 1 };
  };
  return { headless, address, server, until, open };
}
/** How many clients have left, as the session has it. */
const gone = (headless: Headless): number =>
  new Set(
    headless.world.session.inputs.flatMap((input) => (input.type === 'hang-up' || (input.type === 'frame' && input.frame === undefined) ? [input.id] : [])),
  ).size;

test('a watch, a followed log and an exec that their clients leave are left again when the session is played again', async () => {
  const { headless, address, server, until, open } = await served();
  const watch = await open('/api/v1/namespaces/kube-system/endpoints?watch=true');
  const log = await open(`${POD}/log?follow=true`);
  const pods = await open('/api/v1/pods?watch=true');
  const shell = new WebSocket(`ws://${address}${POD}/exec?stdin=true&stdout=true&command=cat`, ['v5.channel.k8s.io']);
  let opened = false;
  shell.on('open', () => {
    opened = true;
  });
  await until(() => opened && log.lines() > 3 && pods.lines() > 3);

  log.response.destroy();
  await until(() => gone(headless) === 1);
  await headless.world.run(headless.world.now + seconds(7));
  // Had the reader of the log stayed, the world would be another already.
  const { session: left, now: then } = headless.world;
  const stayed = new Headless({ ...left, inputs: left.inputs.filter((input) => input.type !== 'hang-up') });
  await stayed.world.run(then);
  expect(stayed.world.hash()).not.toBe(headless.world.hash());

  watch.response.destroy();
  shell.close();
  await once(shell, 'close');
  await until(() => gone(headless) === 3);
  await headless.run('kubectl delete pod talker --grace-period=2');
  await headless.world.run(headless.world.now + seconds(40));

  const { session, now, loop } = headless.world;
  const again = new Headless(session);
  await again.world.run(now);
  expect(again.world.loop.events).toBe(loop.events);
  expect(again.world.hash()).toBe(headless.world.hash());
  pods.response.destroy();
  server.close();
}, 180_000);

test('whoever is answered after a session was played again is not taken for somebody in it', async () => {
  const { headless, server, open } = await served();
  await open('/api/v1/pods?watch=true');
  const { session, now } = headless.world;
  server.closeAllConnections();
  server.close();
  const again = new Headless(session);
  await again.world.run(now);
  const { stdout } = await again.run('kubectl get pod talker -o jsonpath={.status.phase}');
  expect(stdout).toBe('Running');
});
