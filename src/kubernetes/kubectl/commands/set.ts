/** kubectl set: image, resources, selector, serviceaccount; `env` has a file of its own (kubectl pkg/cmd/set). */
import type { Json } from '../../api/json.ts';
import { parseSelector } from '../../api/selector.ts';
import type { Container } from '../../api/types.gen.ts';
import { partOf, withPart } from '../change.ts';
import { KubectlError } from '../errors.ts';
import { type FlagSpecs, text } from '../flags.ts';
import { containersIn, mapContainers, nameMatches } from '../pod-spec.ts';
import type { ObjectLike } from '../session.ts';
import type { Command } from './command.ts';
import { splitPairs } from './label.ts';
import { env } from './set-env.ts';
import { changeAll, objectsFor, requirePodSpec, SET_FLAGS } from './set-pods.ts';
import { subject } from './set-subject.ts';

/** `selector` and `serviceaccount` take no label selector. */
const withoutSelector = ({ selector: _, ...flags }: FlagSpecs): FlagSpecs => flags;

const image: Command = {
  summary: 'Update the image of a pod template',
  usage: 'kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]',
  flags: SET_FLAGS,
  run: async (session, args) => {
    const { resources, pairs } = splitPairs(args, 'image');
    const wanted = new Map(
      pairs.filter((pair) => pair.includes('=')).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const),
    );
    const { found, failures } = await objectsFor(session, resources);
    if (wanted.size === 0) throw new KubectlError('at least one image update is required');
    if (wanted.has('*') && wanted.size > 1)
      throw new KubectlError('all containers are already specified by *, but saw more than one container_name=container_image pairs');
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'image updated',
      failed: 'failed to patch image update to pod template',
      change: (target) => {
        const path = requirePodSpec(target);
        const known = [...containersIn(target.object, path, 'containers'), ...containersIn(target.object, path, 'initContainers')];
        for (const name of wanted.keys())
          if (name !== '*' && !known.some((container) => container.name === name))
            throw new KubectlError(`unable to find container named ${JSON.stringify(name)}`);
        return mapContainers(target.object, path, ['containers', 'initContainers'], (container) => {
          const next = wanted.get(container.name) ?? wanted.get('*');
          return next === undefined || next === container.image ? container : { ...container, image: next };
        });
      },
    });
  },
};

/** `cpu=200m,memory=64Mi`. */
function quantities(spec: string): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const part of spec.split(',').filter((one) => one !== '')) {
    const pair = part.split('=');
    if (pair.length !== 2) throw new KubectlError(`Invalid argument syntax ${part}, expected <resource>=<value>`);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?\d+)?$/.test(pair[1]!))
      throw new KubectlError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    result[pair[0]!] = pair[1]!;
  }
  return result;
}

const resources: Command = {
  summary: 'Update resource requests/limits on objects with pod templates',
  usage: 'kubectl set resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS] [options]',
  flags: { ...SET_FLAGS, limits: text(), requests: text(), containers: text('c', '*') },
  run: async (session, args) => {
    const { flags } = session;
    const { found, failures } = await objectsFor(session, args);
    if (flags.text('limits') === '' && flags.text('requests') === '')
      throw new KubectlError('you must specify an update to requests or limits (in the form of --requests/--limits)');
    const limits = quantities(flags.text('limits'));
    const requests = quantities(flags.text('requests'));
    const pattern = flags.text('containers');
    const merged = (before: Container['resources'], field: 'limits' | 'requests', given: Readonly<Record<string, string>>) => {
      const next: Record<string, string> = { ...before?.[field] };
      for (const [key, value] of Object.entries(given)) next[key] = value;
      return Object.keys(next).length > 0 ? next : undefined;
    };
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'resource requirements updated',
      failed: 'failed to patch resources update to pod template',
      change: (target) => {
        const path = requirePodSpec(target);
        let hit = false;
        const after = mapContainers(target.object, path, ['containers', 'initContainers'], (container) => {
          if (!nameMatches(pattern, container.name)) return container;
          hit = true;
          return {
            ...container,
            resources: {
              ...container.resources,
              limits: merged(container.resources, 'limits', limits),
              requests: merged(container.resources, 'requests', requests),
            },
          } as Container;
        });
        if (!hit) throw new KubectlError(`unable to find container named ${pattern}`);
        return after;
      },
    });
  },
};

const selector: Command = {
  summary: 'Set the selector on a resource',
  usage: 'kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version] [options]',
  flags: {
    ...withoutSelector(SET_FLAGS),
    kustomize: { type: 'string', short: 'k', hidden: true },
    recursive: { type: 'bool', short: 'R', default: 'true' },
    'resource-version': text(),
  },
  run: async (session, args) => {
    if (args.length === 0) throw new KubectlError('one selector is required');
    const expression = args.at(-1)!;
    const { found, failures } = await objectsFor(session, args.slice(0, -1));
    const labels: Record<string, string> = {};
    const { requirements } = parseSelector(expression);
    const others = requirements.filter(({ operator }) => operator !== '=' && operator !== '==');
    if (others.length > 0)
      throw new KubectlError(
        `match expression [${others.map(({ key, operator, values }) => `{${key} ${{ in: 'In', notin: 'NotIn', '!=': 'NotIn', exists: 'Exists', '!': 'DoesNotExist' }[operator as string] ?? operator} [${[...values].join(' ')}]}`).join(' ')}] not supported on this object`,
      );
    for (const { key, values } of requirements) labels[key] = [...values][0] ?? '';
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'selector updated',
      failed: 'failed to patch selector update',
      change: (target) => {
        if (target.info.kind !== 'Service' || target.info.group !== '') throw new KubectlError('setting a selector is only supported for Services');
        const version = session.flags.text('resource-version');
        const object = version === '' ? target.object : (withPart(target.object, ['metadata', 'resourceVersion'], version) as ObjectLike);
        return withPart(object, ['spec', 'selector'], labels as Json) as ObjectLike;
      },
    });
  },
};

const serviceaccount: Command = {
  summary: 'Update the service account of a resource',
  usage: 'kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]',
  aliases: ['sa'],
  flags: withoutSelector(SET_FLAGS),
  run: async (session, args) => {
    if (args.length === 0) throw new KubectlError('serviceaccount is required');
    const name = args.at(-1)!;
    const { found, failures } = await objectsFor(session, args.slice(0, -1));
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'serviceaccount updated',
      failed: 'failed to patch ServiceAccountName',
      change: (target) => {
        const path = [...requirePodSpec(target), 'serviceAccountName'];
        return partOf(target.object, path) === name ? target.object : (withPart(target.object, path, name) as ObjectLike);
      },
    });
  },
};

export const set: Command = {
  summary: 'Set specific features on objects',
  usage: 'kubectl set SUBCOMMAND [options]',
  subcommands: { env, image, resources, selector, serviceaccount, subject },
};
