/** Messages of the calls about logins. See page.ts for how messages are defined. */
import { Type } from 'typebox';
import { flag, text } from './parts.ts';

/** Who sent the request, as its queries show it; `isLogin`: with the cookie of a login. */
export const CallerAnswer = Type.Object({ user: text, isLogin: flag });
