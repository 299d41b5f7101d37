/**
 * The users of the embedded engine that its operator adds, kept in `<data dir>/users`. The engine has no storage for
 * users of its own (`CREATE USER` is refused), and reads its configuration once: they are written into that at
 * each start.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { hashOf, newPassword, readPassword } from './passwords.ts';
import { writePrivateFile } from './private-file.ts';

export interface TeamUser {
  name: string;
  /** Beyond what an analyst may: `SELECT ON reports.*`. */
  grants: string[];
  queriesPerHour: number | undefined;
  /** Of its queries, in all. */
  secondsPerHour: number | undefined;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const RESERVED = /^(admin|analyst|default|bigtrace_.*)$/;

/** What each such user may. */
const READ = ['SELECT ON bigtrace.*', 'SELECT ON bigtrace_results.*', 'SELECT ON system.processes'];

const READING = ['SELECT', 'SHOW'];
const WRITING = [
  ...['INSERT', 'ALTER', 'OPTIMIZE', 'TRUNCATE'],
  ...['CREATE DATABASE', 'CREATE TABLE', 'CREATE VIEW', 'DROP DATABASE', 'DROP TABLE', 'DROP VIEW'],
];

/** Whatever passes is a grant to ClickHouse, too: one that is not would keep the engine from its next start. */
const GRANT = new RegExp(
  `^(?:${[...READING, ...WRITING].join('|')})(?:, (?:${[...READING, ...WRITING].join('|')}))* ON \\w+\\.(?:\\*|\\w+)$`,
);

export function readTeamUsers(dataDir: string): TeamUser[] {
  const path = listFile(dataDir);
  if (!existsSync(path)) return [];
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as TeamUser[]).map(checked);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `${path}: ${text}`, { cause });
  }
}

/**
 * Adds a user, or replaces the one of that name. Returns the file of its password: the one that is given, else the
 * one it had, else a new one. @throws invalid_option
 */
export function addTeamUser(dataDir: string, user: TeamUser, password: string | undefined): string {
  checked(user);
  const others = readTeamUsers(dataDir).filter(({ name }) => name !== user.name);
  mkdirSync(join(dataDir, 'users'), { recursive: true, mode: 0o700 });
  const file = passwordFile(dataDir, user.name);
  if (password !== undefined || !existsSync(file))
    writePrivateFile(file, `${password ?? newPassword()}\n`);
  writeList(dataDir, [...others, user]);
  return file;
}

/** @throws invalid_option where there is none of that name. */
export function removeTeamUser(dataDir: string, name: string): void {
  const users = readTeamUsers(dataDir);
  const others = users.filter((user) => user.name !== name);
  if (others.length === users.length)
    throw new BigtraceError('invalid_option', `there is no user ${name}; bigtrace user list`);
  writeList(dataDir, others);
  rmSync(passwordFile(dataDir, name), { force: true });
}

function writeList(dataDir: string, users: TeamUser[]): void {
  writePrivateFile(listFile(dataDir), `${JSON.stringify(users, null, 2)}\n`);
}

function listFile(dataDir: string): string {
  return join(dataDir, 'users', 'users.json');
}

function passwordFile(dataDir: string, name: string): string {
  return join(dataDir, 'users', `${name}.password`);
}

function checked(user: TeamUser): TeamUser {
  const { name, grants, queriesPerHour, secondsPerHour } = user;
  if (!NAME.test(name) || RESERVED.test(name))
    throw new BigtraceError(
      'invalid_option',
      `${name} cannot be the name of a user: letters, digits and _ can, but not the names of Bigtrace's own users`,
    );
  for (const grant of grants)
    if (!GRANT.test(grant))
      throw new BigtraceError(
        'invalid_option',
        `--grant ${grant}: it must be like 'SELECT, INSERT ON reports.*', with privileges among ` +
          [...READING, ...WRITING].join(', '),
      );
  for (const bound of [queriesPerHour, secondsPerHour])
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound > 0))
      throw new BigtraceError(
        'invalid_option',
        `a bound of user ${name} must be a positive integer`,
      );
  return user;
}

/** Of users.d. The hashes of the passwords come from the environment, so that the file holds no secret. */
export function teamUsersXml(users: readonly TeamUser[]): string {
  return `<clickhouse>
  <quotas>
${users.map(quotaXml).join('')}  </quotas>
  <users>
${users.map(userXml).join('')}  </users>
</clickhouse>
`;
}

function quotaXml({ name, queriesPerHour, secondsPerHour }: TeamUser): string {
  const bounds = [
    queriesPerHour === undefined ? '' : `<queries>${queriesPerHour}</queries>`,
    secondsPerHour === undefined ? '' : `<execution_time>${secondsPerHour}</execution_time>`,
  ];
  return `    <user_${name}><interval><duration>3600</duration>${bounds.join('')}</interval></user_${name}>\n`;
}

function userXml({ name, grants }: TeamUser): string {
  const writes = grants.some((grant) => !/^(SELECT|SHOW)(, (SELECT|SHOW))* ON/.test(grant));
  const engines = writes ? ['TABLE ENGINE ON MergeTree'] : [];
  const queries = [...READ, ...grants, ...engines].map((grant) => `<query>GRANT ${grant}</query>`);
  return `    <${name} replace="replace">
      <password_sha256_hex from_env="${hashVariable(name)}"/>
      <networks><ip>::/0</ip></networks>
      <profile>${writes ? 'bigtrace_backend' : 'bigtrace_analyst'}</profile>
      <quota>user_${name}</quota>
      <default_database>bigtrace</default_database>
      <grants>${queries.join('')}</grants>
      <databases>
        <system><processes><filter>user = currentUser()</filter></processes></system>
      </databases>
    </${name}>
`;
}

export function teamUserVariables(
  dataDir: string,
  users: readonly TeamUser[],
): Record<string, string> {
  const hash = ({ name }: TeamUser): string => hashOf(readPassword(passwordFile(dataDir, name)));
  return Object.fromEntries(users.map((user) => [hashVariable(user.name), hash(user)]));
}

function hashVariable(name: string): string {
  return `BIGTRACE_USER_${name}_SHA256`;
}
