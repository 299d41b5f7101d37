/** The statements that install the views on a ClickHouse by SQL alone, and those that remove them. Pure. */

import { RESULTS_ENGINE, type Replication, replicated } from '../../lib/clickhouse/replicated.ts';
import { CREATE_LOCKS } from '../../lib/clickhouse/run-lock/run-lock.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { noServiceStatements, type Services, serviceStatements } from './service-users.ts';

/** The user that the views run as, and the named collection with the address and the token of the bridge. */
export const DEFINER = 'bigtrace_definer';
export const COLLECTION = 'bigtrace_bridge';
/** The role of users who may query the views. */
export const READER = 'bigtrace_reader';

export interface Installation {
  /** URL of the bridge as ClickHouse reaches it. */
  bridge: string;
  /** Bearer token of the bridge. */
  token: string | undefined;
  /** An existing user to run the views as; undefined: DEFINER is created. */
  definer: string | undefined;
  /** Cluster on whose servers the statements run; undefined: only on this one. */
  cluster: string | undefined;
  /** The users of the HTTP API; undefined: none are created. */
  services: Services | undefined;
  /** Who names the tables of the database bigtrace in Keeper. */
  replication: Replication;
}

/** What a statement begins with, up to the place of ON CLUSTER. */
const HEAD =
  /^((?:CREATE|ALTER|DROP) (?:OR REPLACE )?(?:VIEW|TABLE|DATABASE|USER|ROLE|ROW POLICY|SETTINGS PROFILE|NAMED COLLECTION)(?: IF (?:NOT )?EXISTS)? [\w.]+|GRANT)/m;

const CREATE_RESULTS = /^CREATE DATABASE IF NOT EXISTS bigtrace_results$/m;
const IN_DATABASE = /^(?:CREATE|ALTER|DROP) (?:OR REPLACE )?(?:VIEW|TABLE) /m;

/**
 * Returns the statements in order. Each may be run again.
 * @param sql the statements that create the tables and views
 */
export function installStatements(sql: readonly string[], options: Installation): string[] {
  const { definer, cluster, services, replication } = options;
  const statements = [
    'CREATE DATABASE IF NOT EXISTS bigtrace',
    ...(replication === 'none' ? [] : [CREATE_LOCKS]),
    ...collection(options),
    ...(definer === undefined ? [definerUser(), ...grants(DEFINER)] : []),
    `CREATE ROLE IF NOT EXISTS ${READER}`,
    `GRANT SELECT ON bigtrace.* TO ${READER}`,
    `GRANT SELECT ON bigtrace_results.* TO ${READER}`,
    ...sql,
    ...(services === undefined ? [] : serviceStatements(services)),
  ];
  const chosen = definer === undefined ? statements : statements.flatMap(withoutAccess);
  return chosen
    .map((one) =>
      one === CREATE_LOCKS ? one : replicated(resultsOf(one, replication), replication),
    )
    .map((one) => onCluster(ofDefiner(one.trim(), definer), cluster, replication));
}

/**
 * @param views names of the views @param usersXml the text of users.d/bigtrace.xml
 * @returns the statements that remove what was installed, but no table with rows
 */
export function uninstallStatements(
  views: readonly string[],
  usersXml: string,
  { definer, cluster, replication }: Pick<Installation, 'definer' | 'cluster' | 'replication'>,
): string[] {
  const access = [
    `DROP ROLE IF EXISTS ${READER}`,
    `DROP USER IF EXISTS ${DEFINER}`,
    ...noServiceStatements(usersXml),
  ];
  return [
    ...views.map((view) => `DROP VIEW IF EXISTS bigtrace.${view}`),
    `DROP NAMED COLLECTION IF EXISTS ${COLLECTION}`, // it has the token: what follows may lack a privilege
    ...(definer === undefined ? access : []),
  ].map((one) => onCluster(one, cluster, replication));
}

/** The privileges that the user of the views needs. */
export function grants(user: string): string[] {
  return [
    `GRANT SELECT ON bigtrace.* TO ${user}`,
    `GRANT CREATE TEMPORARY TABLE ON *.* TO ${user}`,
    `GRANT READ ON URL TO ${user}`,
    `GRANT NAMED COLLECTION ON ${COLLECTION} TO ${user}`,
    `GRANT SELECT ON system.processes TO ${user}`,
    `GRANT SELECT ON system.clusters TO ${user}`,
    `GRANT READ ON REMOTE TO ${user}`,
  ];
}

function definerUser(): string {
  return `CREATE USER IF NOT EXISTS ${DEFINER} IDENTIFIED WITH no_password HOST NONE`;
}

/**
 * Nobody but the definer may use the collection, and nobody can read the token in it. Without a token, another header
 * replaces that of an earlier installation, which could be for another bridge: ALTER cannot delete a key that may be missing.
 */
function collection({ bridge, token }: Installation): string[] {
  const [name, value] =
    token === undefined ? ['X-Bigtrace-Token', 'none'] : ['Authorization', `Bearer ${token}`];
  const values =
    `url = ${literal(bridge)} NOT OVERRIDABLE, \`headers.header.name\` = ${literal(name)} NOT OVERRIDABLE, ` +
    `\`headers.header.value\` = ${literal(value)} NOT OVERRIDABLE`;
  return [
    `CREATE NAMED COLLECTION IF NOT EXISTS ${COLLECTION} AS ${values}`,
    `ALTER NAMED COLLECTION ${COLLECTION} SET ${values}`,
  ];
}

/** Leaves out users, roles and grants: this server's users are not kept in SQL. */
function withoutAccess(statement: string): string[] {
  return /^(CREATE (USER|ROLE)|GRANT) /.test(statement) ? [] : [statement];
}

function ofDefiner(statement: string, definer: string | undefined): string {
  if (definer === undefined) return statement;
  return statement.replace(`DEFINER = ${DEFINER} `, `DEFINER = ${definer} `);
}

/** Replicated tables have results on all servers, too. */
function resultsOf(statement: string, replication: Replication): string {
  if (replication === 'none') return statement;
  return statement.replace(CREATE_RESULTS, `$&\nENGINE = ${RESULTS_ENGINE}`);
}

/** A Replicated database runs the statements about its tables on all servers, and refuses ON CLUSTER. */
function onCluster(
  statement: string,
  cluster: string | undefined,
  replication: Replication,
): string {
  if (cluster === undefined || (replication === 'database' && IN_DATABASE.test(statement)))
    return statement;
  return statement.replace(HEAD, `$1 ON CLUSTER ${literal(cluster)}`);
}
