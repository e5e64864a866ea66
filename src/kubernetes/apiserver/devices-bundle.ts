/** What `devices.ts` brings in, in one piece. */
export { devicesIn } from './conversion-devices.ts';
export { claimDefaultsOfDevices, claimTemplateDefaults } from './defaults/devices.ts';
