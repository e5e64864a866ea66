/** The container network interface: plumb one sandbox into the node's network, or out of it (CNI spec 1.0, ADD and DEL). */
export interface NetworkPlugin {
  /** Undefined while no configuration is installed: the node stays NotReady. */
  readonly ready: boolean;
  /** Rejects with the plugin's message, e.g. `no IP addresses available in range set`. */
  add(
    netns: string,
    pod: { readonly name: string; readonly namespace: string; readonly uid: string },
  ): Promise<{ readonly ip: string; readonly interface: string }>;
  del(netns: string, pod: { readonly name: string; readonly namespace: string; readonly uid: string }): Promise<void>;
}
