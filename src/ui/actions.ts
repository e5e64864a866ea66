/** What can be done to a thing, the same wherever it is offered: the map's menu, the inspector, the table, the palette. No action changes the view. */

import type { App } from './app-context.ts';
import type { IconName } from './look/icons.tsx';
import { ETCD_GROUP } from './map/layout.ts';
import { type Thing, urlOf } from './objects.ts';
import { typeCommand } from './terminal/typing.ts';

export interface Action {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  run(app: App): void;
}

/** Sends an API request as the user and turns a refusal into a toast with the API's own words. */
export async function send(app: App, method: string, url: string, body?: unknown, contentType = 'application/json'): Promise<boolean> {
  try {
    const answer = await app.world.request({
      method,
      url,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status < 400) return true;
    const status = parse(answer.text);
    app.ui.toast(status.message || answer.text || 'The API server refused.', 'error', `${answer.status}${status.reason ? ` ${status.reason}` : ''}`, {
      method,
      url,
      code: answer.status,
    });
  } catch (error) {
    app.ui.toast(error instanceof Error ? error.message : String(error), 'error');
  }
  return false;
}
function parse(text: string): { message?: string; reason?: string } {
  try {
    return JSON.parse(text) as { message?: string; reason?: string };
  } catch {
    return {};
  }
}

const patchNode = (name: string, unschedulable: boolean) => async (app: App) => {
  if (await send(app, 'PATCH', `/api/v1/nodes/${name}`, { spec: { unschedulable } }, 'application/strategic-merge-patch+json'))
    app.say(`${name} ${unschedulable ? 'cordoned' : 'uncordoned'}.`);
};
const runCommand = (command: string) => async (app: App) => {
  app.ui.toast(`${command}`);
  try {
    const ran = await app.world.run(command);
    if (ran.exitCode !== 0) app.ui.toast(ran.stderr.trim() || ran.stdout.trim(), 'error', `exit ${ran.exitCode}`);
    else app.say(`${command} finished.`);
  } catch (error) {
    app.ui.toast(error instanceof Error ? error.message : String(error), 'error');
  }
};

export function actionsFor(app: App, thing: Thing): Action[] {
  const { cluster } = app;
  const state = cluster.store.getState();
  const yaml: Action = { id: 'yaml', label: 'View YAML', icon: 'yaml', run: (a) => a.ui.inspect(thing.id, 'yaml') };
  const why: Action = { id: 'why', label: 'Why?', icon: 'why', run: (a) => a.ui.inspect(thing.id, 'why') };
  switch (thing.kind) {
    case 'object':
      return [];
    case 'pod': {
      const record = cluster.pods.records[thing.index];
      if (!record) return [];
      const scheduled = cluster.pods.node[thing.index]! >= 0;
      return [
        ...(scheduled
          ? ([
              {
                id: 'logs',
                label: 'Logs',
                icon: 'logs',
                run: (a) => {
                  a.ui.set({ selected: thing.id });
                  a.ui.openDock('logs');
                },
              },
              {
                id: 'exec',
                label: 'Open a shell (exec)',
                icon: 'terminal',
                run: (a) => {
                  a.ui.openDock('terminal');
                  typeCommand(a.world, a.terminal, `kubectl exec -it -n ${record.namespace} ${record.name} -- sh`);
                },
              },
            ] satisfies Action[])
          : []),
        yaml,
        why,
        {
          id: 'scheduling',
          label: scheduled ? 'Why on this node?' : 'Why on no node?',
          icon: 'scheduler',
          run: (a) => a.ui.openScheduling(`${record.namespace}/${record.name}`),
        },
        {
          id: 'delete',
          label: 'Delete pod',
          icon: 'bin',
          danger: true,
          run: async (a) => {
            const url = urlOf(cluster, thing);
            if (url && (await send(a, 'DELETE', url))) a.say(`${record.name} is being deleted.`);
          },
        },
      ];
    }
    case 'node': {
      const node = state.nodes.get(thing.index);
      if (!node) return [];
      const power: Action = node.powered
        ? { id: 'power-off', label: 'Power off', icon: 'power', danger: true, run: (a) => a.world.fault({ kind: 'node-power', node: node.name, on: false }) }
        : { id: 'power-on', label: 'Power on', icon: 'power', run: (a) => a.world.fault({ kind: 'node-power', node: node.name, on: true }) };
      if (node.group === ETCD_GROUP) return [power];
      return [
        node.cordoned
          ? { id: 'uncordon', label: 'Uncordon', icon: 'padlock', run: patchNode(node.name, false) }
          : { id: 'cordon', label: 'Cordon', icon: 'padlock', run: patchNode(node.name, true) },
        { id: 'drain', label: 'Drain', icon: 'drain', danger: true, run: runCommand(`kubectl drain ${node.name} --ignore-daemonsets --delete-emptydir-data`) },
        yaml,
        why,
        node.kubelet === 'running'
          ? {
              id: 'kill-kubelet',
              label: 'Kill kubelet',
              icon: 'bolt',
              danger: true,
              run: (a) => a.world.fault({ kind: 'kill', process: `kubelet@${node.name}`, hold: true }),
            }
          : { id: 'start-kubelet', label: 'Start kubelet', icon: 'bolt', run: (a) => a.world.fault({ kind: 'start', process: `kubelet@${node.name}` }) },
        power,
      ];
    }
    case 'service':
      return [
        yaml,
        why,
        {
          id: 'delete',
          label: 'Delete service',
          icon: 'bin',
          danger: true,
          run: async (a) => {
            const url = urlOf(cluster, thing);
            if (url) await send(a, 'DELETE', url);
          },
        },
      ];
    case 'member': {
      const member = state.members.get(thing.name);
      if (!member) return [];
      const host = member.host || member.name;
      const machine = cluster.nodeNamed(host);
      const actions: Action[] = [
        member.role === 'Stopped'
          ? { id: 'start-etcd', label: 'Start etcd', icon: 'bolt', run: (a) => a.world.fault({ kind: 'start', process: `etcd@${host}` }) }
          : {
              id: 'kill-etcd',
              label: 'Kill etcd',
              icon: 'bolt',
              danger: true,
              run: (a) => a.world.fault({ kind: 'kill', process: `etcd@${host}`, hold: true }),
            },
      ];
      if (machine && machine.group === ETCD_GROUP) {
        actions.push(
          machine.powered
            ? {
                id: 'power-off',
                label: 'Power off the machine',
                icon: 'power',
                danger: true,
                run: (a) => a.world.fault({ kind: 'node-power', node: host, on: false }),
              }
            : { id: 'power-on', label: 'Power on the machine', icon: 'power', run: (a) => a.world.fault({ kind: 'node-power', node: host, on: true }) },
        );
      }
      return actions;
    }
  }
}
