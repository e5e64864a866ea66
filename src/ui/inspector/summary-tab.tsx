import { clockText } from '../../hosts/connect.ts';
import { PodFlag } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { nodeThing, type Thing } from '../objects.ts';
import css from './inspector.module.css';

/** What it is, in what state, and the one line that says why when something is amiss. */
export function SummaryTab({ thing }: { thing: Thing }) {
  const app = useApp();
  const { cluster, ui } = app;
  const state = cluster.store.getState();
  switch (thing.kind) {
    case 'pod': {
      const record = cluster.pods.records[thing.index];
      if (!record) return null;
      const detail = cluster.pods.details[thing.index];
      const flags = cluster.pods.flags[thing.index]!;
      const node = state.nodes.get(cluster.pods.node[thing.index]!);
      const trouble = detail?.message || ((flags & PodFlag.Unschedulable) !== 0 ? lastWarning(state.happenings, `Pod/${record.namespace}/${record.name}`) : '');
      return (
        <>
          {trouble && <p className={css['say']}>{trouble}</p>}
          <dl className={css['facts']}>
            <dt>Namespace</dt>
            <dd>
              <code>{record.namespace}</code>
            </dd>
            <dt>Node</dt>
            <dd>
              {node ? (
                <button type="button" className={css['link']} onClick={() => ui.set({ selected: nodeThing(node).id })}>
                  {node.name}
                </button>
              ) : (
                'waiting for one'
              )}
            </dd>
            <dt>Made by</dt>
            <dd>
              <code>{record.owner}</code>
            </dd>
            <dt>Pod IP</dt>
            <dd>
              <code>{detail?.ip || 'none yet'}</code>
            </dd>
            <dt>Created</dt>
            <dd>t={clockText(record.createdAt)}</dd>
            {detail?.qos && (
              <>
                <dt>QoS class</dt>
                <dd>{detail.qos}</dd>
              </>
            )}
            <dt>Labels</dt>
            <dd className={css['chips']}>
              {Object.entries(record.labels).map(([key, value]) => (
                <code key={key}>
                  {key}={value}
                </code>
              ))}
            </dd>
          </dl>
          {detail && detail.containers.length > 0 && (
            <>
              <h3>Containers</h3>
              {detail.containers.map((container) => (
                <div key={container.name} className={css['container']}>
                  <div>
                    <strong>{container.name}</strong>
                    <span>
                      {container.reason || container.state}
                      {container.ready ? ', ready' : ''}
                    </span>
                  </div>
                  <small>{container.image}</small>
                  {container.assumed && (
                    <span className={css['assumed']}>
                      <strong>Assumed.</strong> Orrery has no program for this image: a server stands in that answers 200 on the container’s ports.
                    </span>
                  )}
                  {(container.kind !== 'main' || container.restarts > 0) && (
                    <span>
                      {[container.kind === 'main' ? '' : container.kind, container.restarts > 0 ? `${container.restarts} restarts` : '']
                        .filter(Boolean)
                        .join(' · ')}
                    </span>
                  )}
                </div>
              ))}
            </>
          )}
        </>
      );
    }
    case 'node': {
      const node = state.nodes.get(thing.index);
      if (!node) return null;
      const pods = cluster.pods.byNode.get(node.index)?.length ?? 0;
      return (
        <>
          {(node.ready !== 'True' || !node.powered) && node.slots > 0 && (
            <p className={css['say']}>
              {node.powered
                ? node.readyReason || 'The node has not said that it is ready.'
                : 'The machine is powered off. The API learns of it only when its lease expires.'}
            </p>
          )}
          <dl className={css['facts']}>
            {node.roles.length > 0 && (
              <>
                <dt>Roles</dt>
                <dd>{node.roles.join(', ')}</dd>
              </>
            )}
            <dt>Address</dt>
            <dd>
              <code>{node.ip}</code>
            </dd>
            {node.podCidr && (
              <>
                <dt>Pod network</dt>
                <dd>
                  <code>{node.podCidr}</code>
                </dd>
              </>
            )}
            {node.slots > 0 && (
              <>
                <dt>Pods</dt>
                <dd>
                  {pods} of {node.slots}
                </dd>
                <dt>CPU</dt>
                <dd>
                  <Bar
                    part={node.cpu.requested / Math.max(1, node.cpu.allocatable)}
                    text={`${node.cpu.requested}m of ${node.cpu.allocatable}m requested, ${node.cpu.used}m used`}
                  />
                </dd>
                <dt>Memory</dt>
                <dd>
                  <Bar
                    part={node.memory.requested / Math.max(1, node.memory.allocatable)}
                    text={`${node.memory.requested} of ${node.memory.allocatable} MiB requested, ${node.memory.used} used`}
                  />
                </dd>
                <dt>Kubelet</dt>
                <dd>{node.kubelet}</dd>
              </>
            )}
            <dt>Machine</dt>
            <dd>{node.powered ? 'powered on' : 'powered off'}</dd>
            {node.taints.length > 0 && (
              <>
                <dt>Taints</dt>
                <dd className={css['chips']}>
                  {node.taints.map((taint) => (
                    <code key={taint}>{taint}</code>
                  ))}
                </dd>
              </>
            )}
          </dl>
        </>
      );
    }
    case 'service': {
      const service = state.services.get(thing.key);
      if (!service) return null;
      return (
        <>
          {service.endpoints.length === 0 && Object.keys(service.selector).length > 0 && (
            <p className={css['say']}>No pod has the labels this service selects, so nothing answers at its address.</p>
          )}
          <dl className={css['facts']}>
            <dt>Type</dt>
            <dd>{service.type}</dd>
            <dt>Cluster IP</dt>
            <dd>
              <code>{service.clusterIP}</code>
            </dd>
            <dt>Ports</dt>
            <dd>
              <code>{service.ports}</code>
            </dd>
            <dt>Endpoints</dt>
            <dd>
              {service.endpoints.filter((endpoint) => endpoint.ready).length} ready of {service.endpoints.length}
            </dd>
            <dt>Selects</dt>
            <dd className={css['chips']}>
              {Object.entries(service.selector).map(([key, value]) => (
                <code key={key}>
                  {key}={value}
                </code>
              ))}
              {Object.keys(service.selector).length === 0 && 'nothing'}
            </dd>
          </dl>
        </>
      );
    }
    case 'member': {
      const member = state.members.get(thing.name);
      if (!member) return null;
      return (
        <dl className={css['facts']}>
          <dt>Role</dt>
          <dd>{member.role}</dd>
          <dt>Term</dt>
          <dd>{member.term}</dd>
          <dt>Commit index</dt>
          <dd>{member.commit.toLocaleString('en')}</dd>
          <dt>Revision</dt>
          <dd>{member.revision.toLocaleString('en')}</dd>
          <dt>Machine</dt>
          <dd>
            <code>{member.host || member.name}</code>
          </dd>
        </dl>
      );
    }
  }
}

function Bar({ part, text }: { part: number; text: string }) {
  return (
    <div>
      <div className={css['track']} aria-hidden="true">
        <i style={{ width: `${Math.min(100, part * 100)}%` }} />
      </div>
      {text}
    </div>
  );
}

function lastWarning(happenings: readonly { readonly type: string; readonly about: string; readonly message: string }[], about: string): string {
  return happenings.findLast((one) => one.about === about && one.type === 'Warning')?.message ?? '';
}
