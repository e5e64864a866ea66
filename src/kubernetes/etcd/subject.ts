import type { Operation } from './command.ts';

/** The key an operation is about, for the trace. */
export function subject(operation: Operation): string {
  switch (operation.type) {
    case 'put':
    case 'delete':
      return operation.request.key;
    case 'txn': {
      const { compare, success } = operation.request;
      if (compare[0]) return compare[0].key;
      const first = success[0];
      if (!first) return '';
      return 'requestPut' in first ? first.requestPut.key : 'requestDeleteRange' in first ? first.requestDeleteRange.key : '';
    }
    case 'compact':
      return 'compaction';
    case 'grant':
    case 'revoke':
      return `lease/${operation.lease}`;
    case 'publish':
      return `EtcdMember/${operation.name}`;
    case 'alarm':
    case 'auth':
    case 'cluster-version':
    case 'lease-checkpoint':
      return '';
  }
}
