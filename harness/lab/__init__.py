"""The lab: run workspaces, networks, golden states, and the removal of what a run left."""
