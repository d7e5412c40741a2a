/**
 * The kinds of boxes that graders can make, as the variable CROWDAI_SANDBOX names them. The first is the
 * default.
 */
export const SANDBOX_NAMES = ["bubblewrap", "oci:runc", "oci:runsc"] as const;
export type SandboxName = (typeof SANDBOX_NAMES)[number];
