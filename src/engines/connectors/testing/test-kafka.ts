import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../app/eventually.ts';
import { freePort } from '../../../app/free-port.ts';

/** Takes part in the name of the folder, so that another version is resolved anew. */
const version = '4.1.0';
const startMaxMs = 60_000;

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>heliosdb</groupId><artifactId>test-kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

/** The jars of a broker, resolved once; undefined where there is no Java or no Maven. */
export function kafkaJars(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return undefined;
  const root = process.cwd();
  const folder = join(root, 'node_modules', '.cache', 'heliosdb', `kafka-${version}`);
  const jars = join(folder, 'jars');
  if (existsSync(join(folder, 'complete'))) return jars;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pom.xml'), pom);
  const { status } = spawnSync(
    'mvn',
    [
      '-q',
      '-B',
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${jars}`,
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  if (status !== 0) return undefined;
  writeFileSync(join(folder, 'complete'), String(readdirSync(jars).length));
  return jars;
}

/** One real broker that is its own controller; it can be killed and started again. */
export class TestKafka {
  readonly brokers: string;
  readonly #jars: string;
  readonly #directory: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(jars: string, directory: string, port: number) {
    this.#jars = jars;
    this.#directory = directory;
    this.#port = port;
    this.brokers = `127.0.0.1:${port}`;
  }

  static async start(jars: string): Promise<TestKafka> {
    const directory = mkdtempSync(join(tmpdir(), 'heliosdb-kafka-'));
    const [port, controller] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
    writeFileSync(join(directory, 'server.properties'), properties(directory, port, controller));
    const kafka = new TestKafka(jars, directory, port);
    kafka.#java(['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg']);
    await kafka.start();
    return kafka;
  }

  async start(): Promise<void> {
    this.#process = spawn(
      'java',
      [...this.#options, 'kafka.Kafka', join(this.#directory, 'server.properties')],
      { stdio: 'ignore' },
    );
    if (!(await eventually(() => answers(this.#port), startMaxMs))) {
      throw new Error('Kafka does not answer');
    }
  }

  async kill(): Promise<void> {
    const { pid } = this.#process ?? {};
    if (pid === undefined) return;
    const ended = new Promise((resolve) => this.#process?.once('exit', resolve));
    process.kill(pid, 'SIGKILL');
    await ended;
    this.#process = undefined;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #options(): readonly string[] {
    return ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-cp', join(this.#jars, '*')];
  }

  #java(args: readonly string[]): void {
    const all = [...this.#options, ...args, '-c', join(this.#directory, 'server.properties')];
    const { status, stderr } = spawnSync('java', all, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Kafka could not be prepared: ${stderr}`);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function properties(directory: string, port: number, controller: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
log.dirs=${join(directory, 'data')}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.partitions=3
`;
}
