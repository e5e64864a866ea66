/** What a machine uses for itself: systemd, containerd, the kubelet and the kernel, always the same little. */
const MIB = 1024 * 1024;
export const SYSTEM = { cpuMilli: 40, memoryBytes: 360 * MIB } as const;
/** What hard eviction keeps back of a node's memory (`memory.available<100Mi`, the kubelet's default). */
export const RESERVED_MEMORY = 100 * MIB;
