/** Where the kernel's file systems are; a test puts its own there. */
export interface PlatformPaths {
  readonly configfs: string;
  readonly sys: string;
  readonly dev: string;
  readonly proc: string;
  readonly machineId: string;
}

export const systemPaths: PlatformPaths = {
  configfs: '/sys/kernel/config',
  sys: '/sys',
  dev: '/dev',
  proc: '/proc',
  machineId: '/etc/machine-id',
};
