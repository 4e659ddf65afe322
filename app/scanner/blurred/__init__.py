"""Reads EAN-13 and UPC-A numbers by drawing them: the number whose picture fits best, if by far.

Engines look for edges. Out of focus, with bars of less than two pixels or with ink that has
spread, there are none where they should be, but the gray levels still tell. So here every
number is drawn as the camera would see it (blur, ink, slope, bend) and compared with what it saw.
"""
