import { expect, it } from 'vitest';
import { createFiles } from '../../linux/files.ts';
import { withApiServer } from '../apiserver/testing.test-support.ts';
import { createKubectlCompletion } from './completion.ts';

it('offers commands, kinds, names, namespaces and flags', async () => {
  await withApiServer(async (server) => {
    const complete = createKubectlCompletion({
      handler: () => (request) => server.api.handle(request),
      certificate: { commonName: 'admin', organizations: ['system:masters'] },
    });
    const files = createFiles();
    const offer = async (line: string) => {
      const words = line.split(' ');
      const current = words.pop()!;
      return (await complete(words, current, { process: server.self, files, env: {}, cwd: '/' }))?.filter((word) => word.startsWith(current));
    };
    await server.post('/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'settings' } });
    expect(await offer('kubectl cre')).toEqual(['create']);
    expect(await offer('kubectl create dep')).toEqual(['deployment']);
    expect(await offer('kubectl get deplo')).toEqual(['deployments.apps']);
    expect(await offer('kubectl get pods,deplo')).toEqual(['pods,deployments.apps']);
    expect(await offer('kubectl get cm -n kube-sys')).toEqual(['kube-system']);
    expect(await offer('kubectl -n kube-system get cm set')).toEqual(['settings']);
    expect(await offer('kubectl describe cm/set -n kube-system')).toBeDefined();
    expect(await offer('kubectl get --sh')).toEqual(['--show-kind', '--show-labels', '--show-managed-fields']);
    expect(await offer('kubectl get pods -o js')).toEqual(['json', 'jsonpath=', 'jsonpath-as-json=', 'jsonpath-file=']);
    expect(await offer('kubectl apply -f ')).toBeUndefined();
  });
});
