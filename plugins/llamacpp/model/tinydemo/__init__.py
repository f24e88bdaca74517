"""How the demo model was made; see the README beside this folder."""
