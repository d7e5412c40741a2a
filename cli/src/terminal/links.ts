/** The documentation of this project, at its code host. */
export const DOCS = "https://github.com/crowdAI/crowdai/blob/main/docs";
export const ISSUES = "https://github.com/crowdAI/crowdai/issues";
