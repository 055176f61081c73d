"""The addresses of incidents, and of what leads to them and comes of them: signs, inquiries, secrets."""

from typing import Final

from django.urls import path

from noren.web import (
    evidence,
    exposed,
    incident_deeds,
    incident_reports,
    incident_scope,
    incident_shops,
    incidents,
    inquiries,
    inquiry,
    inventory,
    signs,
    tellings,
)

ADDRESSES: Final = [
    path("operations/incidents", incidents.page, name="incidents"),
    path("operations/incidents/<slug:incident>", incidents.one, name="incident"),
    path("operations/incidents/<slug:incident>/add", incidents.add, name="incident_add"),
    path("operations/incidents/<slug:incident>/scope", incident_scope.page, name="incident_scope"),
    path(
        "operations/incidents/<slug:incident>/scope/<int:record>", incident_scope.one, name="incident_asked"
    ),
    path("operations/incidents/<slug:incident>/shops", incident_shops.page, name="incident_shops"),
    path(
        "operations/incidents/<slug:incident>/shops/<int:principal>", incident_shops.one, name="incident_shop"
    ),
    path("operations/incidents/<slug:incident>/reports", incident_reports.page, name="incident_reports"),
    path(
        "operations/incidents/<slug:incident>/reports/<slug:law>/<int:principal>",
        incident_reports.one,
        name="incident_report",
    ),
    path(
        "operations/incidents/<slug:incident>/reports/<slug:law>/<int:principal>/pdf",
        incident_reports.pdf,
        name="incident_report_pdf",
    ),
    path(
        "operations/incidents/<slug:incident>/reports/<slug:law>/<int:principal>/json",
        incident_reports.as_json,
        name="incident_report_json",
    ),
    path("operations/incidents/<slug:incident>/member", incidents.member, name="incident_member"),
    path("operations/incidents/<slug:incident>/contain", incident_deeds.contain, name="incident_contain"),
    path(
        "operations/incidents/<slug:incident>/facts/<int:record>",
        incident_deeds.facts,
        name="incident_facts",
    ),
    path("operations/inquiries", inquiries.page, name="inquiries"),
    path("operations/inquiries/saved", inquiries.saved, name="inquiries_saved"),
    path("operations/inquiries/made-anew", inquiries.made_anew, name="inquiries_made_anew"),
    path("operations/inquiries/<slug:inquiry>", inquiries.one, name="inquiry_one"),
    path("operations/inquiries/<slug:inquiry>/deed", inquiries.deed, name="inquiry_deed"),
    path("operations/incidents/<slug:incident>/files", evidence.take, name="evidence_take"),
    path("operations/incidents/<slug:incident>/files/<slug:file>", evidence.lines, name="evidence"),
    path(
        "operations/incidents/<slug:incident>/files/<slug:file>/whole", evidence.whole, name="evidence_whole"
    ),
    path("operations/secrets", inventory.page, name="secrets"),
    path("operations/secrets/<slug:secret>", inventory.one, name="secret"),
    path("operations/secrets/<slug:secret>/deed", inventory.deed, name="secret_deed"),
    path("operations/signs", signs.page, name="signs"),
    path("operations/signs/<slug:sign>", signs.one, name="sign"),
    path("operations/signs/<slug:sign>/deed", signs.deed, name="sign_deed"),
    path("operations/signs/<slug:sign>/files/<slug:file>", signs.file, name="sign_file"),
    path("operations/incidents/<slug:incident>/telling", tellings.page, name="tellings"),
    path("operations/tellings/<slug:telling>", tellings.one, name="telling"),
    path("operations/tellings/<slug:telling>/deed", tellings.deed, name="telling_deed"),
    path("operations/tellings/<slug:telling>/alone", tellings.alone, name="telling_alone"),
    path("operations/tellings/<slug:telling>/people.csv", tellings.evidence, name="telling_evidence"),
    path("operations/tellings/<slug:telling>/as/<uuid:person>", tellings.preview, name="telling_preview"),
    path("operations/tellings/<slug:telling>/<slug:way>/begin", tellings.begin, name="telling_begin"),
    path("operations/tellings/<slug:telling>/<slug:way>/finish", tellings.finish, name="telling_finish"),
    path("exposed", exposed.page, name="exposed"),
    path("inquiry", inquiry.ask, name="inquiry"),
    path("inquiry/own/<str:link>", inquiry.own, name="inquiry_own"),
    path("inquiry/own/<str:link>/more", inquiry.more, name="inquiry_more"),
]
