import type { Files } from '../../linux/files.ts';
import type { SandboxConfig } from '../kubelet/cri.ts';

/** /etc/hosts, /etc/hostname and /etc/resolv.conf as a pod sees them (kubelet `kubelet_pods.go` managedHostsFileContent; containerd `sandbox_run_linux.go`). */
export function writeSandboxFiles(files: Files, directory: string, config: SandboxConfig, ip: string | undefined): void {
  files.write(`${directory}/hostname`, `${config.hostname}\n`);
  const { servers, searches, options } = config.dns;
  let resolv = '';
  if (searches.length > 0) resolv += `search ${searches.join(' ')}\n`;
  for (const server of servers) resolv += `nameserver ${server}\n`;
  if (options.length > 0) resolv += `options ${options.join(' ')}\n`;
  files.write(`${directory}/resolv.conf`, resolv);
  if (config.hostNetwork) {
    const own = files.exists('/etc/hosts') ? files.read('/etc/hosts') : '127.0.0.1\tlocalhost\n';
    files.write(`${directory}/hosts`, `# Kubernetes-managed hosts file (host network).\n${own}${(config.hosts ?? []).map((line) => `${line}\n`).join('')}`);
    return;
  }
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
  ];
  if (ip !== undefined) lines.push(config.domain ? `${ip}\t${config.hostname}.${config.domain}\t${config.hostname}` : `${ip}\t${config.hostname}`);
  files.write(`${directory}/hosts`, `${[...lines, ...(config.hosts ?? [])].join('\n')}\n`);
}
