"""The lab: run workspaces, networks, golden states, and taking away what a run left."""
