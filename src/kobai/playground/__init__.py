"""A static site where programs run in the page: `python -m kobai.playground build FOLDER`."""
