"""The quality of a layer's polygons: what is wrong, what somebody accepted, and what can be put right safely."""
