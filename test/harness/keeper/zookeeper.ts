/** For tests: Debian's ZooKeeper, which is downloaded once. Debian and a Java runtime are needed. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../../lib/common/network/free-port.ts';
import { ROOT } from '../../../lib/common/root.ts';

const CACHE = join(ROOT, 'node_modules/.cache/zookeeper');
const PACKAGES = [
  ...['libzookeeper-java', 'libnetty-java', 'libslf4j-java', 'liblog4j1.2-java', 'libsnappy-java'],
  ...['libdropwizard-metrics-java', 'libcommons-cli-java', 'libcommons-io-java'],
];
const START_MS_MAX = 60_000;
const ANSWER_MS_MAX = 1000;

export interface ZooKeeper {
  port: number;
  stop(): Promise<void>;
}

/** @param directory of its data */
export async function startZooKeeper(directory: string): Promise<ZooKeeper> {
  const jars = installed();
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const config = join(directory, 'zoo.cfg');
  const data = join(directory, 'zookeeper');
  mkdirSync(data);
  writeFileSync(
    config,
    `tickTime=2000\ndataDir=${data}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n`,
  );
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const child = spawn('java', ['-Xmx128m', '-cp', jars.join(':'), main, config], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const giveUp = performance.now() + START_MS_MAX;
  while (!(await status(port)).includes('Mode: standalone')) {
    if (performance.now() > giveUp) {
      await stop();
      throw new Error('ZooKeeper did not start');
    }
    await sleep(50);
  }
  return { port, stop };
}

/** Returns what ZooKeeper answers to the command `srvr`; nothing if it cannot be reached. */
async function status(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}).setTimeout(ANSWER_MS_MAX, () => socket.destroy());
  socket.write('srvr');
  return await text(socket).catch(() => '');
}

/** Returns the files of its classes. */
function installed(): string[] {
  const java = join(CACHE, 'usr/share/java');
  if (!existsSync(java)) {
    const part = `${CACHE}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    execFileSync('apt-get', ['download', '-qq', ...PACKAGES], { cwd: part, stdio: 'pipe' });
    for (const name of readdirSync(part)) execFileSync('dpkg', ['-x', name, '.'], { cwd: part });
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(part, CACHE);
  }
  const needed =
    /^(zookeeper|zookeeper-jute|netty-.*|slf4j-api|slf4j-simple|log4j-1\.2|snappy-java|metrics-core|commons-cli|commons-io)\.jar$/;
  return readdirSync(java)
    .filter((name) => needed.test(name))
    .map((name) => join(java, name));
}
