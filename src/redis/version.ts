/** The Redis whose commands and wording these are, which clients choose features by. */
export const redisVersion: string = '7.4.0';
export const serverName: string = 'heliosdb';
