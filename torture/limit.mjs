/** How many of one tenant may run at once, in all processes together. Beside the job: the checker needs no package. */
export const LIMIT = 2
