/**
 * The ClickHouse users of the HTTP API and of `/where/` with their profiles, as `users.d/bigtrace.xml` defines them. Another
 * ClickHouse gets them as SQL, or, if its users are not kept in SQL, as elements of its own configuration.
 */
import { literal } from '../../lib/common/text/sql-literal.ts';

const SERVICE_USERS = ['bigtrace_catalog', 'bigtrace_canceller', 'bigtrace_backend'];
/** Each after those that it contains. */
const PROFILES = ['bigtrace_user', 'bigtrace_analyst', 'bigtrace_catalog', 'bigtrace_backend'];

export interface Services {
  /** The text of users.d/bigtrace.xml. */
  usersXml: string;
  /** SHA-256 of the password of all of them, in hex. */
  passwordHash: string;
}

const PASSWORD = / from_env="BIGTRACE_SERVICE_PASSWORD_SHA256"\/>/g;

/** Returns the elements of a configuration file with the profiles, and those with the users. */
export function serviceElements({ usersXml, passwordHash }: Services): {
  profiles: string;
  users: string;
} {
  const users = SERVICE_USERS.map((name) => whole(usersXml, 'users', name)).join('');
  return {
    profiles: PROFILES.map((name) => whole(usersXml, 'profiles', name)).join(''),
    users: users.replace(PASSWORD, `>${passwordHash}</password_sha256_hex>`),
  };
}

/** Returns the statements that create or update the users. Each may be run again. */
export function serviceStatements({ usersXml, passwordHash }: Services): string[] {
  return [
    ...PROFILES.flatMap((name) => profileStatements(name, inner(usersXml, 'profiles', name))),
    ...SERVICE_USERS.flatMap((name) =>
      userStatements(name, inner(usersXml, 'users', name), passwordHash),
    ),
  ];
}

/** Returns the statements that remove them. */
export function noServiceStatements(usersXml: string): string[] {
  const policies = SERVICE_USERS.flatMap((name) =>
    filtersOf(inner(usersXml, 'users', name)).map(
      ({ table }) => `DROP ROW POLICY IF EXISTS ${name} ON system.${table}`,
    ),
  );
  return [
    ...policies,
    ...SERVICE_USERS.map((name) => `DROP USER IF EXISTS ${name}`),
    ...PROFILES.toReversed().map((name) => `DROP SETTINGS PROFILE IF EXISTS ${name}`),
  ];
}

function profileStatements(name: string, profile: string): string[] {
  const [, constraints = ''] = /<constraints>(.*)<\/constraints>/s.exec(profile) ?? [];
  const settings = profile.replace(/<constraints>.*<\/constraints>/s, '');
  const all = [
    ...elementsOf(settings).map(([setting, value]) =>
      setting === 'profile' ? `INHERIT ${literal(value)}` : `${setting} = ${literal(value)}`,
    ),
    ...[...constraints.matchAll(/<(\w+)>(?:<const\/>|<min>(\d+)<\/min>)<\/\1>/g)].map(
      ([, setting, min]) => `${setting} ${min === undefined ? 'CONST' : `MIN ${min}`}`,
    ),
  ];
  return [
    `CREATE SETTINGS PROFILE IF NOT EXISTS ${name}`,
    `ALTER SETTINGS PROFILE ${name} SETTINGS ${all.join(', ')}`,
  ];
}

function userStatements(name: string, user: string, passwordHash: string): string[] {
  const values = new Map(elementsOf(user));
  const login = `IDENTIFIED WITH sha256_hash BY ${literal(passwordHash)}`;
  const profile = `SETTINGS PROFILE ${literal(values.get('profile') ?? '')}`;
  return [
    `CREATE USER IF NOT EXISTS ${name} ${login}`,
    `ALTER USER ${name} ${login} DEFAULT DATABASE ${values.get('default_database')} ${profile}`,
    ...[...user.matchAll(/<query>(.*?)<\/query>/g)].map(([, grant]) => `${grant} TO ${name}`),
    ...filtersOf(user).flatMap(({ table, filter }) => [
      `CREATE ROW POLICY IF NOT EXISTS ${name} ON system.${table} USING ${filter} TO ${name}`,
      `ALTER ROW POLICY ${name} ON system.${table} USING ${filter} TO ${name}`,
    ]),
  ];
}

/** The rows of tables of the database system that a user may read. */
function filtersOf(user: string): { table: string; filter: string }[] {
  const found = user.matchAll(/<system><(\w+)><filter>([^<]*)<\/filter>/g);
  return [...found].map(([, table = '', filter = '']) => ({ table, filter }));
}

/** The elements that contain text alone. */
function elementsOf(xml: string): [string, string][] {
  return [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name = '', text = '']) => [name, text]);
}

/** The element `name` below `parent`, without comments. @throws if there is none */
function whole(xml: string, parent: string, name: string): string {
  const [, all = ''] = new RegExp(`<${parent}>(.*)</${parent}>`, 's').exec(xml) ?? [];
  const [element] = new RegExp(`<${name}(?: [^>]*)?>.*?</${name}>`, 's').exec(all) ?? [];
  if (element === undefined) throw new Error(`users.d/bigtrace.xml has no ${name} in ${parent}`);
  return element.replace(/<!--.*?-->/gs, '');
}

function inner(xml: string, parent: string, name: string): string {
  return whole(xml, parent, name).replace(/^<[^>]*>|<\/\w+>$/g, '');
}
