"""A small shop: one App of everything in `app`, and one in each module, should it outgrow the others."""
