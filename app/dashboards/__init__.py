"""Grafana's dashboards and alert rules, generated from the catalog and declarations.

A board (``boards/``) declares what its panels ask and show; a flavour turns the asking
into targets of one data source: Infinity, or JSON. The model is written here and not with
`grafana-foundation-sdk`, which has no place for the annotation targets of either plugin
and would be five megabytes in every installation; the tests hold what is written against
its types, so that nothing that Grafana does not know gets through.
"""
