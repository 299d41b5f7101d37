/** The version that every service and `bigtrace version` report. */
import packageJson from '../../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;
