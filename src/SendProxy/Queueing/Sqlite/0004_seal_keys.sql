-- Which seal key is needed for what may still be opened: byte 1 of a sealed part is its form's version, bytes 2 to 9 are the key's id.
-- Done (4) and discarded (8) items need none. Entries come in order of arrival, so a new one touches the page of the one before it.
CREATE INDEX item_seal_key ON item (substr(metadata, 2, 8)) WHERE state NOT IN (4, 8);
