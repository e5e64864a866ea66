/** All commands by name. */
import { apply } from './apply.ts';
import { auth } from './auth.ts';
import type { Command } from './command.ts';
import { config } from './config.ts';
import { cordon, uncordon } from './cordon.ts';
import { create, replace } from './create.ts';
import { remove } from './delete.ts';
import { describe } from './describe.ts';
import { drain } from './drain.ts';
import { edit } from './edit.ts';
import { events } from './events.ts';
import { attach, exec } from './exec.ts';
import { explain } from './explain.ts';
import { expose } from './expose.ts';
import { get } from './get.ts';
import { annotate, label } from './label.ts';
import { logs } from './logs.ts';
import { patch } from './patch.ts';
import { rollout } from './rollout.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';
import { apiResources, apiVersions, clusterInfo, version } from './server-info.ts';
import { set } from './set.ts';
import { taint } from './taint.ts';
import { top } from './top.ts';
import { wait } from './wait.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  'api-resources': apiResources,
  'api-versions': apiVersions,
  annotate,
  apply,
  attach,
  auth,
  'cluster-info': clusterInfo,
  config,
  cordon,
  create,
  delete: remove,
  describe,
  drain,
  edit,
  events,
  exec,
  explain,
  expose,
  get,
  label,
  logs,
  patch,
  replace,
  rollout,
  run,
  scale,
  set,
  taint,
  top,
  uncordon,
  version,
  wait,
};
