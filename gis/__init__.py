"""Floor 0: geometry, rasters and file formats as pure functions over shapely and numpy values."""
